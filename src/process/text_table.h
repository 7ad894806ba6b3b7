#pragma once

#include <string>
#include <vector>

namespace stormo::process {

/// Rows of cells, aligned to the left. A column is as wide as its widest cell.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> head) { rows_.push_back(std::move(head)); }

  /// A row with as many cells as the head. The last cell may contain colors.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  /// Lines that end in '\n'.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// A line of dashes with `title` in the middle: "---- title ----\n". Only dashes if it is empty.
std::string ruler(const std::string& title, std::size_t width);

}  // namespace stormo::process
