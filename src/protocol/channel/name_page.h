#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stormo::channel {

/// One page of many names, in the order of their bytes: the first ones after a name that match a
/// pattern. The names are offered in any order. Time and memory are those of a page, but for one
/// comparison of each name.
class NamePage {
 public:
  struct Item {
    std::string name;
    std::uint64_t number;  ///< As it was offered.
  };

  /// `pattern` as in matchesPattern(); empty: all names. `limit` is at least 1.
  NamePage(std::string pattern, std::string after, std::size_t limit);

  /// Each name once.
  void offer(std::string_view name, std::uint64_t number);
  /// True if a name that is offered now can only be beyond the page, provided that it is greater
  /// than all before.
  [[nodiscard]] bool isFull() const { return items_.size() > limit_; }

  struct Page {
    std::vector<Item> items;
    bool hasMore;
  };
  /// Leaves this empty.
  [[nodiscard]] Page take();

 private:
  const std::string pattern_;
  const std::string after_;
  const std::size_t limit_;
  std::vector<Item> items_;  // the smallest ones, at most limit_ + 1: a heap
};

}  // namespace stormo::channel
