#include "protocol/php/double.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>

#include "base/assert.h"

namespace stormo::php {
namespace {

/// True if a number beyond the range of a double is too large, false if it is too small.
bool isTooLarge(std::string_view number) {
  const std::size_t e = number.find_first_of("eE");
  const std::string_view mantissa = number.substr(0, e);
  const auto point = static_cast<std::int64_t>(std::min(mantissa.find('.'), mantissa.size()));
  const auto leadingDigit = static_cast<std::int64_t>(mantissa.find_first_of("123456789"));
  if (e == std::string_view::npos) return leadingDigit < point;

  std::string_view text = number.substr(e + 1);
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t exponent = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (read.ec != std::errc()) return !text.starts_with('-');
  return exponent > leadingDigit - point;
}

}  // namespace

void appendDouble(double value, char exponentLetter, std::string& out) {
  STORMO_ASSERT(std::isfinite(value));
  char text[32];
  const auto written = std::to_chars(text, std::end(text), value, std::chars_format::scientific);
  char* number = text;
  if (*number == '-') out.push_back(*number++);

  // The parts of "d.ddde+XX": the digits, with the first one moved over the point, and the
  // exponent.
  char* const e = std::find(number, written.ptr, 'e');
  if (e > number + 1) {
    number[1] = number[0];
    ++number;
  }
  const std::string_view digits(number, static_cast<std::size_t>(e - number));
  int exponent = 0;
  std::from_chars(e[1] == '+' ? e + 2 : e + 1, written.ptr, exponent);

  if (exponent < -4 || exponent >= 17) {
    out.push_back(digits[0]);
    out.push_back('.');
    out.append(digits.size() > 1 ? digits.substr(1) : "0");
    out.push_back(exponentLetter);
    out.push_back(exponent < 0 ? '-' : '+');
    out.append(std::to_string(std::abs(exponent)));
  } else if (exponent < 0) {
    out.append("0.");
    out.append(static_cast<std::size_t>(-exponent - 1), '0');
    out.append(digits);
  } else {
    const auto whole = static_cast<std::size_t>(exponent + 1);
    out.append(digits.substr(0, whole));
    if (digits.size() < whole) out.append(whole - digits.size(), '0');
    if (digits.size() > whole) out.append(".").append(digits.substr(whole));
  }
}

double parseDouble(std::string_view number) {
  if (number.starts_with('+')) number.remove_prefix(1);
  double value = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
  if (read.ec == std::errc::result_out_of_range) {
    value = isTooLarge(number) ? std::numeric_limits<double>::infinity() : 0.0;
    if (number.starts_with('-')) value = -value;
  }
  return value;
}

}  // namespace stormo::php
