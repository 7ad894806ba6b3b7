#pragma once

#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace stormo {

/// A queue that, unlike std::deque, stops allocating once it has reached its largest length.
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
    // Moves the rest to the front only when at least as many items were removed as are moved.
    if (begin_ < items_.size() - begin_) return;
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }

 private:
  std::vector<T> items_;
  std::size_t begin_ = 0;  // items before this index were removed
};

}  // namespace stormo
