#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <regex>
#include <sstream>

#include "house/rules.h"
#include "house/text.h"

namespace stormo::house {
namespace {

std::size_t columnsOf(std::string_view line) {
  // Continuation bytes of UTF-8 have no column of their own.
  return static_cast<std::size_t>(std::ranges::count_if(
      line, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

Complaints lengthComplaints(std::string_view text) {
  const std::size_t count = linesOf(text).size();
  if (count <= kLinesMax) return {};
  return {fmt::format("line {}: more than {} lines", count, kLinesMax)};
}

Complaints formComplaints(std::string_view path, std::string_view text) {
  // In pieces, so that this file does not violate its own rule.
  static const std::regex kLater(
      "\\b(FIX"
      "ME|XX"
      "X|HA"
      "CK)\\b|not imple"
      "mented");
  Complaints complaints;
  const std::vector<std::string> lines = linesOf(text);
  const auto complain = [&](std::size_t line, std::string_view what) {
    complaints.push_back(fmt::format("line {}: {}", line, what));
  };
  for (std::size_t at = 0; at < lines.size(); ++at) {
    const std::string& line = lines[at];
    // A raw string may contain wire bytes of any length.
    const bool isRaw = line.find("R\"") != line.npos;
    if (!isRaw && columnsOf(line) > kColumnsMax)
      complain(at + 1, fmt::format("{} columns", columnsOf(line)));
    if (line.find('\t') != line.npos) complain(at + 1, "a tab");
    if (std::regex_search(line, kLater))
      complain(at + 1, "unfinished work (only TODO(perf|security|cleanup) is allowed)");
  }
  std::ranges::move(lengthComplaints(text), std::back_inserter(complaints));
  if (!text.empty() && text.back() != '\n')
    complain(lines.size(), "no newline at the end of the file");
  if (path.ends_with(".h") && std::ranges::count(lines, "#pragma once") != 1) {
    complain(1, "a header needs #pragma once");
  }
  return complaints;
}

Complaints hashComplaints(std::string_view text) {
  static const std::regex kOtherHash(R"(\bunordered_(multi)?(map|set)\b|\bstd::hash\b)");
  Complaints complaints;
  const std::vector<std::string> lines = linesOf(text);
  for (std::size_t at = 0; at < lines.size(); ++at) {
    std::smatch match;
    if (!std::regex_search(lines[at], match, kOtherHash)) continue;
    complaints.push_back(fmt::format(
        "line {}: {}: use KeyedMap or KeyedSet of base/keyed_hash.h, because peers choose the keys",
        at + 1, match.str()));
  }
  return complaints;
}

std::vector<std::string> packagesFoundBy(std::string_view cmake) {
  static const std::regex kFind(R"((^|\n)\s*find_package\(\s*(\w+))");
  static const std::regex kPkgConfig(R"((^|\n)\s*pkg_(?:check|search)_modules\(\s*\w+([^)]*)\))");
  const std::string text(cmake);
  std::vector<std::string> names;
  for (std::sregex_iterator it(text.begin(), text.end(), kFind), end; it != end; ++it) {
    if ((*it)[2] != "Threads" && (*it)[2] != "stormo") names.push_back((*it)[2]);
  }
  for (std::sregex_iterator it(text.begin(), text.end(), kPkgConfig), end; it != end; ++it) {
    std::istringstream words((*it)[2]);
    for (std::string word; words >> word;) {
      // Skips REQUIRED, IMPORTED_TARGET, …; takes the name of "libfoo>=1.2"
      if (std::ranges::any_of(word, [](char c) { return c >= 'a' && c <= 'z'; })) {
        names.push_back(word.substr(0, word.find_first_of("<>=")));
      }
    }
  }
  return names;
}

std::vector<std::string> packagesInstalledBy(std::string_view script) {
  static const std::regex kArray(R"((^|\n)\w+_packages=\(([^)]*)\))");
  const std::string text(script);
  std::vector<std::string> names;
  for (std::sregex_iterator it(text.begin(), text.end(), kArray), end; it != end; ++it) {
    std::istringstream words((*it)[2]);
    for (std::string word; words >> word;) names.push_back(word.substr(0, word.find(':')));
  }
  return names;
}

Complaints undocumented(const std::vector<std::string>& names, std::string_view doc) {
  Complaints complaints;
  const std::vector<std::string> lines = linesOf(doc);
  for (const std::string& name : names) {
    const bool isThere = std::ranges::any_of(lines, [&](const std::string& line) {
      return line.starts_with("|") && line.find("`" + name + "`") != line.npos;
    });
    if (!isThere)
      complaints.push_back(
          fmt::format("`{}` is missing in the table of docs/dependencies.md", name));
  }
  return complaints;
}

}  // namespace stormo::house
