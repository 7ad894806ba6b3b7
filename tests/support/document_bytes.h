#pragma once

#include <fstream>
#include <string>
#include <string_view>

namespace stormo::test {

/// The bytes of all examples of a document, in hexadecimal digits. Each line of an example has
/// some, and then a description after two spaces.
inline std::string bytesShownIn(const std::string& document) {
  std::ifstream file(STORMO_SOURCE_DIR "/" + document);
  std::string shown;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("    ")) continue;
    const std::size_t end = line.find("  ", 4);
    std::string bytes = line.substr(4, end == std::string::npos ? end : end - 4);
    if (bytes.find_first_not_of("0123456789abcdef ") != std::string::npos) continue;
    std::erase(bytes, ' ');
    shown += bytes;
  }
  return shown;
}

inline std::string hex(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

}  // namespace stormo::test
