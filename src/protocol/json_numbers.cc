#include "protocol/json_numbers.h"

#include <charconv>
#include <cstddef>
#include <cstdint>

namespace stormo {
namespace {

/// Digits, perhaps with a minus, of a value that no int64 holds. A zero before them is wrong in
/// JSON, and stays wrong.
bool isIntegerBeyondInt64(std::string_view number) {
  const std::string_view digits = number.substr(number.front() == '-' ? 1 : 0);
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return false;
  std::int64_t value = 0;
  const auto read = std::from_chars(number.begin(), number.end(), value);
  return read.ec == std::errc::result_out_of_range;
}

/// Where the string that begins at json[from] with its quote ends, its closing quote included.
std::size_t stringEnd(std::string_view json, std::size_t from) {
  for (std::size_t at = from + 1; at < json.size(); ++at) {
    if (json[at] == '"') return at + 1;
    if (json[at] == '\\') ++at;
  }
  return json.size();
}

}  // namespace

std::string withBigIntegersAsDoubles(std::string_view json) {
  constexpr std::string_view kOfNumbers = "0123456789+-.eE";
  std::string out;
  out.reserve(json.size() + 16);
  for (std::size_t at = 0; at < json.size();) {
    if (json[at] == '"') {
      const std::size_t end = stringEnd(json, at);
      out.append(json.substr(at, end - at));
      at = end;
      continue;
    }
    const std::size_t end = json.find_first_not_of(kOfNumbers, at);
    const std::string_view number = json.substr(at, end - at);
    if (number.empty()) {
      out.push_back(json[at++]);
      continue;
    }
    out.append(number);
    at += number.size();
    if (isIntegerBeyondInt64(number)) out.append(".0");
  }
  return out;
}

}  // namespace stormo
