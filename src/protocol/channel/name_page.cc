#include "protocol/channel/name_page.h"

#include <algorithm>
#include <utility>

#include "base/name_pattern.h"

namespace stormo::channel {

NamePage::NamePage(std::string pattern, std::string after, std::size_t limit)
    : pattern_(std::move(pattern)), after_(std::move(after)), limit_(limit) {}

void NamePage::offer(std::string_view name, std::uint64_t number) {
  if (!after_.empty() && name <= after_) return;
  if (isFull() && name >= items_.front().name) return;
  if (!pattern_.empty() && !matchesPattern(pattern_, name)) return;
  if (isFull()) {
    std::ranges::pop_heap(items_, {}, &Item::name);
    items_.pop_back();
  }
  items_.push_back({.name = std::string(name), .number = number});
  std::ranges::push_heap(items_, {}, &Item::name);
}

NamePage::Page NamePage::take() {
  std::ranges::sort(items_, {}, &Item::name);
  const bool hasMore = isFull();
  if (hasMore) items_.pop_back();
  return {.items = std::exchange(items_, {}), .hasMore = hasMore};
}

}  // namespace stormo::channel
