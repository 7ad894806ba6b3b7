#pragma once

#include <cstddef>
#include <string_view>

#include "sys/shared_pool.h"

namespace stormo::channel {

/// Bytes that are appended at the end and removed from the front, always contiguous, in a block of
/// a pool. While the pool is held nothing changes that was there: a forked child reads its copy of
/// this object.
class SharedQueue {
 public:
  [[nodiscard]] std::size_t size() const { return end_ - begin_; }
  /// Valid until the next change.
  [[nodiscard]] std::string_view all() const { return {block_.begin + begin_, size()}; }

  /// Appends room for so many bytes, which the caller writes. Valid until the next change.
  char* extend(std::size_t bytes, SharedPool& pool);
  void removePrefix(std::size_t bytes) { begin_ += bytes; }
  /// Removes all bytes and gives the memory back, which is not done by a destructor.
  void clear(SharedPool& pool);

 private:
  SharedPool::Block block_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace stormo::channel
