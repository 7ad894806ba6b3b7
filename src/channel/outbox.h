#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/byte_queue.h"

namespace stormo::channel {

/// What a publisher has published and the Channel has not acknowledged: whole frames of Publish and
/// Enqueue, in the order of their sequences. On a new link all of it is said again.
class Outbox {
 public:
  explicit Outbox(std::size_t bytesMax) : bytesMax_(bytesMax) {}

  /// False if so many bytes more would be too much. An empty outbox takes anything.
  [[nodiscard]] bool hasRoom(std::size_t bytes) const {
    return empty() || size() + bytes <= bytesMax_;
  }
  /// Half of its room is free again.
  [[nodiscard]] bool isRelaxed() const { return size() <= bytesMax_ / 2; }
  /// Room for whole frames, to be written at once.
  char* extend(std::size_t bytes) { return frames_.extend(bytes); }
  /// Forgets all frames up to this sequence.
  void acknowledge(std::uint64_t sequence);

  [[nodiscard]] bool empty() const { return frames_.empty(); }
  [[nodiscard]] std::size_t size() const { return frames_.size(); }
  [[nodiscard]] std::string_view all() const { return frames_.all(); }
  [[nodiscard]] std::string_view last(std::size_t bytes) const {
    return all().substr(size() - bytes);
  }

 private:
  const std::size_t bytesMax_;
  ByteQueue frames_;
};

}  // namespace stormo::channel
