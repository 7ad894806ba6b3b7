#pragma once

#include <algorithm>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace stormo::house {

/// The lines of a text, without line ends.
[[nodiscard]] inline std::vector<std::string> linesOf(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// One #include of a text.
struct Include {
  std::size_t line;    ///< From 1.
  bool quoted;         ///< "…", not <…>.
  std::string header;  ///< As written, without quotes.
};

[[nodiscard]] inline std::vector<Include> includesOf(std::string_view text) {
  static const std::regex kInclude(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"].*)");
  std::vector<Include> includes;
  std::size_t number = 0;
  for (const std::string& line : linesOf(text)) {
    ++number;
    std::smatch match;
    if (std::regex_match(line, match, kInclude)) {
      includes.push_back({number, match[1] == "\"", match[2]});
    }
  }
  return includes;
}

/// "net" for "net/peer.h"; empty if there is no slash.
[[nodiscard]] inline std::string folderOf(std::string_view path) {
  const std::size_t slash = path.find('/');
  return std::string(path.substr(0, slash == path.npos ? 0 : slash));
}

}  // namespace stormo::house
