#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "channel/log/state_stream.h"
#include "protocol/channel/packet.h"
#include "protocol/package/frame.h"
#include "sys/unforked_memory.h"

namespace stormo::channel {

/// The latest events as whole frames, for links that lag or reconnect. Limited by bytes and age;
/// both limits may be exceeded by one chunk. Times are those of records, in milliseconds.
///
/// A snapshot does not have the events, as the log has their records: those from firstOffset() on
/// are recalled from it. So the memory of the events is not part of a fork.
class ReplayWindow {
 public:
  ReplayWindow(std::size_t bytesMax, std::chrono::milliseconds ageMax)
      : bytesMax_(bytesMax), ageMax_(static_cast<std::uint64_t>(ageMax.count())) {}

  /// Appends room for the frame of an event at `offset`, which is not less than all before. The
  /// caller writes the frame at once; it is valid until the next call.
  char* append(std::uint64_t offset, std::size_t bytes, std::uint64_t time);
  /// Notes that the record at `offset` must not be recalled: it was a duplicate.
  void skip(std::uint64_t offset);
  [[nodiscard]] bool isSkipped(std::uint64_t offset) const;
  /// Removes what is above the limits.
  void forget(std::uint64_t now);
  /// Forgets all events up to `offset`, the latest one.
  void clear(std::uint64_t offset);

  /// True if all events after `offset` are still here.
  [[nodiscard]] bool reaches(std::uint64_t offset) const { return offset >= forgotten_; }
  /// Of the oldest event. The greatest number if there is none.
  [[nodiscard]] std::uint64_t firstOffset() const;

  /// Calls visit(frame) for all events from `offset` on, in order, until it returns false.
  template <typename Visit>
  void visitFrom(std::uint64_t offset, const Visit& visit) const {
    for (const Chunk& chunk : chunks_) {
      if (chunk.lastOffset < offset) continue;
      for (std::string_view rest = chunk.frames(); !rest.empty();) {
        const std::string_view frame = firstFrame(rest);
        if (writtenOffset(frame) >= offset && !visit(frame)) return;
        rest.remove_prefix(frame.size());
      }
    }
  }

  void save(StateWriter& out) const;
  /// Only on an empty window. `offset` is the latest one. The saved window may have had other
  /// limits. Its events are not there before recall().
  void restore(StateReader& in, std::uint64_t offset);
  /// The events from `first` on up to the restored offset are appended next.
  void recall(std::uint64_t first);

 private:
  struct Chunk {
    UnforkedMemory memory;
    std::size_t used = 0;  // whole frames
    std::uint64_t firstOffset = 0;
    std::uint64_t lastOffset = 0;
    std::uint64_t lastTime = 0;
    [[nodiscard]] std::string_view frames() const { return {memory.data(), used}; }
  };
  /// Consecutive offsets.
  struct Run {
    std::uint64_t first;
    std::uint64_t last;
  };

  void makeChunk(std::size_t bytes, std::uint64_t offset);
  void removeFirstChunk();

  std::size_t bytesMax_;
  std::uint64_t ageMax_;
  std::vector<Chunk> chunks_;    // oldest first
  UnforkedMemory spare_;         // of a removed chunk, for reuse
  std::size_t bytes_ = 0;        // memory of all chunks
  std::uint64_t forgotten_ = 0;  // offset of the latest removed event
  std::deque<Run> skipped_;      // offsets, the lowest first
  struct Restored {
    std::uint64_t forgotten;
    std::uint64_t firstOffset;
  };
  std::optional<Restored> restored_;  // until recall()
  std::uint64_t recalledFrom_ = 0;
};

}  // namespace stormo::channel
