#pragma once

#include <charconv>
#include <cstddef>
#include <iterator>
#include <string>

namespace stormo {

/// Appends the decimal digits of an integer.
template <typename Integer>
void appendDecimal(Integer number, std::string& out) {
  char text[24];
  const char* const end = std::to_chars(text, std::end(text), number).ptr;
  out.append(text, static_cast<std::size_t>(end - text));
}

}  // namespace stormo
