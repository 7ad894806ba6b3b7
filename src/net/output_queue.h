#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/shared_buffer.h"
#include "net/held_output.h"

namespace stormo::net {

/// The bytes that were not sent at once, in order, as references into shared buffers. Short ranges,
/// and those that would keep a much larger buffer alive, are copied into buffers of the queue. So
/// the queue holds at most about kHeldPerByte times bytes() of memory, plus the buffer of its
/// front.
///
/// Behind them may come what is held back because some of it may be dropped. All of it becomes part
/// of the queue when the bytes before it were sent: see Sender::release().
class OutputQueue {
 public:
  static constexpr std::size_t kHeldPerByte = 8;

  void push(const SharedBuffer& buffer, std::size_t begin, std::size_t length);
  /// Copies them.
  void push(std::string_view bytes);

  /// Those that are held are included.
  [[nodiscard]] std::uint64_t bytes() const {
    return bytes_ + (held_ == nullptr ? 0 : held_->bytes());
  }
  /// Those that will not be dropped.
  [[nodiscard]] std::uint64_t keptBytes() const {
    return bytes_ + (held_ == nullptr ? 0 : held_->keptBytes());
  }
  /// Those that are not held.
  [[nodiscard]] std::uint64_t readyBytes() const { return bytes_; }
  [[nodiscard]] bool empty() const { return bytes_ == 0 && held_ == nullptr; }

  /// What comes next must be held as well. False if nothing is held.
  [[nodiscard]] bool isHolding() const { return held_ != nullptr; }
  /// What is held; made if there is none.
  HeldOutput& held() {
    if (held_ == nullptr) held_ = std::make_unique<HeldOutput>();
    return *held_;
  }
  /// All that was held is part of the queue, or was dropped.
  void endHolding() { held_.reset(); }

  /// Describes the front of what is not held, at most `bytesMax` bytes in at most `vectorsMax`
  /// vectors. Returns the number of vectors.
  std::size_t describe(iovec* vectors, std::size_t vectorsMax,
                       std::size_t bytesMax = ~std::size_t{0}) const;
  /// Drops `taken` bytes from the front: the kernel has them. At most readyBytes().
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
  std::unique_ptr<HeldOutput> held_;
};

}  // namespace stormo::net
