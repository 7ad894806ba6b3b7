#pragma once

#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace stormo {

/// A queue that, unlike std::deque, allocates nothing once it has been as long as it gets.
template <typename T>
class Fifo {
 public:
  [[nodiscard]] bool empty() const { return begin_ == items_.size(); }
  [[nodiscard]] std::size_t size() const { return items_.size() - begin_; }
  [[nodiscard]] const T& front() const { return items_[begin_]; }
  template <typename Visit>
  void forEach(Visit visit) {
    for (std::size_t i = begin_; i < items_.size(); ++i) visit(items_[i]);
  }
  void push(T item) { items_.push_back(std::move(item)); }

  void pop() {
    ++begin_;
    // Moved to the front only when at least as much has gone as is moved.
    if (begin_ < items_.size() - begin_) return;
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }

 private:
  std::vector<T> items_;
  std::size_t begin_ = 0;  // what is before it was popped
};

}  // namespace stormo
