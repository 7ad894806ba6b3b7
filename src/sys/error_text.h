#pragma once

#include <cctype>
#include <string>
#include <system_error>

namespace stormo {

/// The text of an error number in lower case, to follow a colon.
inline std::string errorText(int number) {
  std::string text = std::generic_category().message(number);
  text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

}  // namespace stormo
