#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <vector>

#include "base/shared_buffer.h"

namespace stormo::net {

/// What the kernel did not take: references into shared buffers, in order, never copies.
class OutputQueue {
 public:
  void push(const SharedBuffer& buffer, std::size_t begin, std::size_t length);

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] bool empty() const { return bytes_ == 0; }

  /// Describes the front of the queue in at most `vectorsMax` vectors; gives how many.
  std::size_t describe(iovec* vectors, std::size_t vectorsMax) const;
  /// Drops what the kernel took from the front. At most bytes().
  void consume(std::size_t taken);
  void clear();

 private:
  struct Segment {
    SharedBuffer buffer;
    std::size_t begin;
    std::size_t length;
  };
  std::vector<Segment> segments_;
  std::size_t front_ = 0;  // segments before it are spent
  std::uint64_t bytes_ = 0;
};

}  // namespace stormo::net
