#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/byte_queue.h"
#include "protocol/channel/packet.h"
#include "protocol/package/frame.h"

namespace stormo::channel {

/// What a publisher has published and the Channel has not acknowledged: whole frames of Publish and
/// Enqueue, in the order of their sequences. On a new link all of it is said again.
class UnackedLog {
 public:
  explicit UnackedLog(std::size_t bytesMax) : bytesMax_(bytesMax) {}

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
  /// Forgets the frames for which `isUnwanted(sequence, frameBytes)` is true. Rare, so that it may
  /// copy the rest.
  template <typename Judge>
  void removeIf(const Judge& isUnwanted) {
    ByteQueue kept;
    for (std::string_view rest = all(); !rest.empty();) {
      const std::string_view frame = firstFrame(rest);
      if (!isUnwanted(writtenSequence(frame), frame.size())) kept.append(frame);
      rest.remove_prefix(frame.size());
    }
    frames_ = std::move(kept);
  }

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
