#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/byte_queue.h"
#include "protocol/channel/packet.h"
#include "protocol/package/frame.h"

namespace stormo::channel {

/// The publishes that the Channel has not acknowledged: whole frames of Publish and Enqueue, in the
/// order of their sequences. On a new link all of them are resent.
class UnackedLog {
 public:
  explicit UnackedLog(std::size_t bytesMax) : bytesMax_(bytesMax) {}

  /// False if this number of bytes would exceed the limit. An empty log accepts any number.
  [[nodiscard]] bool hasRoom(std::size_t bytes) const {
    return empty() || size() + bytes <= bytesMax_;
  }
  /// At most half of the limit is used.
  [[nodiscard]] bool isRelaxed() const { return size() <= bytesMax_ / 2; }
  /// Room for whole frames, which the caller writes at once.
  char* extend(std::size_t bytes) { return frames_.extend(bytes); }
  /// Drops all frames up to this sequence.
  void acknowledge(std::uint64_t sequence);
  /// Drops the frames for which `isUnwanted(sequence, frameBytes)` is true. Copies the rest.
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
