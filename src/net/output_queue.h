#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/shared_buffer.h"

namespace stormo::net {

/// The bytes that were not sent at once, in order, as references into shared buffers. Short ranges,
/// and those that would keep a much larger buffer alive, are copied into buffers of the queue. So
/// the queue holds at most about kHeldPerByte times bytes() of memory, plus the buffer of its
/// front.
class OutputQueue {
 public:
  static constexpr std::size_t kHeldPerByte = 8;

  void push(const SharedBuffer& buffer, std::size_t begin, std::size_t length);

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] bool empty() const { return bytes_ == 0; }

  /// Describes the front of the queue, at most `bytesMax` bytes in at most `vectorsMax` vectors.
  /// Returns the number of vectors.
  std::size_t describe(iovec* vectors, std::size_t vectorsMax,
                       std::size_t bytesMax = ~std::size_t{0}) const;
  /// Drops `taken` bytes from the front: the kernel has them. At most bytes().
  void consume(std::size_t taken);
  /// Drops everything, and keeps little memory.
  void clear();

 private:
  void copy(std::string_view bytes);

  struct Segment {
    SharedBuffer buffer;
    std::size_t begin;
    std::size_t length;
  };
  std::vector<Segment> segments_;
  std::size_t front_ = 0;  // segments before it are spent
  std::uint64_t bytes_ = 0;
  bool ownsLast_ = false;  // the last segment is a copy, and more can be appended to it
};

}  // namespace stormo::net
