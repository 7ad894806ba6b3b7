#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "channel/log/state_stream.h"
#include "protocol/channel/packet.h"
#include "protocol/package/frame.h"

namespace stormo::channel {

/// The latest events as whole frames, for links that lag or reconnect. Limited by bytes and age;
/// both limits may be exceeded by one chunk. Times are those of records, in milliseconds.
class ReplayWindow {
 public:
  ReplayWindow(std::size_t bytesMax, std::chrono::milliseconds ageMax)
      : bytesMax_(bytesMax), ageMax_(static_cast<std::uint64_t>(ageMax.count())) {}

  /// Appends room for the frame of an event at `offset`, which is not less than all before. The
  /// caller writes the frame at once; it is valid until the next call.
  char* append(std::uint64_t offset, std::size_t bytes, std::uint64_t time);

  /// True if all events after `offset` are still here.
  [[nodiscard]] bool reaches(std::uint64_t offset) const { return offset >= forgotten_; }

  /// Calls visit(frame) for all events from `offset` on, in order, until it returns false.
  template <typename Visit>
  void visitFrom(std::uint64_t offset, const Visit& visit) const {
    for (const Chunk& chunk : chunks_) {
      if (chunk.lastOffset < offset) continue;
      for (std::string_view rest = chunk.bytes; !rest.empty();) {
        const std::string_view frame = firstFrame(rest);
        if (writtenOffset(frame) >= offset && !visit(frame)) return;
        rest.remove_prefix(frame.size());
      }
    }
  }

  /// Forgets all events up to `offset`, the latest one.
  void clear(std::uint64_t offset);

  void save(StateWriter& out) const;
  /// Only on an empty window. The saved one may have had other limits.
  void restore(StateReader& in);

 private:
  struct Chunk {
    std::string bytes;  // whole frames; its capacity never grows
    std::uint64_t lastOffset = 0;
    std::uint64_t lastTime = 0;
  };

  void makeChunk(std::size_t bytes);
  void forget(std::uint64_t now);

  const std::size_t bytesMax_;
  const std::uint64_t ageMax_;
  std::vector<Chunk> chunks_;    // oldest first
  Chunk spare_;                  // memory of a removed chunk, for reuse
  std::size_t bytes_ = 0;        // capacity of all chunks
  std::uint64_t forgotten_ = 0;  // offset of the latest removed event
};

}  // namespace stormo::channel
