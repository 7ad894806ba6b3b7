#pragma once

#include <string>
#include <vector>

namespace stormo::process {

/// Rows of cells, aligned to the left under one another, each column as wide as its widest cell.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> head) { rows_.push_back(std::move(head)); }

  /// As many cells as the head has. The last one may hold colors.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  /// Lines that end in '\n'.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// `title` in the middle of a line of dashes, "---- title ----\n"; dashes only if it is empty.
std::string ruler(const std::string& title, std::size_t width);

}  // namespace stormo::process
