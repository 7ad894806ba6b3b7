#include "process/text_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace stormo::process {

std::string TextTable::text() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i)
      text += fmt::format("{:<{}}  ", row[i], widths[i]);
    text += row.back() + '\n';
  }
  return text;
}

std::string ruler(const std::string& title, std::size_t width) {
  return fmt::format("{:-^{}}\n", title.empty() ? "" : ' ' + title + ' ', width);
}

}  // namespace stormo::process
