#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace stormo {

/// A pool of at most kCountMax objects for reuse. trim() frees those that were not used since the
/// last trim().
template <typename T>
class Spares {
 public:
  static constexpr std::size_t kCountMax = 16 << 10;

  [[nodiscard]] std::unique_ptr<T> take() {
    if (spares_.empty()) return std::make_unique<T>();
    auto taken = std::move(spares_.back());
    spares_.pop_back();
    unused_ = std::min(unused_, spares_.size());
    return taken;
  }

  /// The caller has cleared what must not stay in memory.
  void give(std::unique_ptr<T> spare) {
    if (spares_.size() < kCountMax) spares_.push_back(std::move(spare));
  }

  [[nodiscard]] std::size_t size() const { return spares_.size(); }

  /// Returns the number of objects freed.
  std::size_t trim() {
    const std::size_t freed = unused_;
    spares_.resize(spares_.size() - freed);
    spares_.shrink_to_fit();
    unused_ = spares_.size();
    return freed;
  }

 private:
  std::vector<std::unique_ptr<T>> spares_;
  std::size_t unused_ = 0;  // the lowest size() since the last trim
};

}  // namespace stormo
