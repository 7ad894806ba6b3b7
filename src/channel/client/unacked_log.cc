#include "channel/client/unacked_log.h"

namespace stormo::channel {
namespace {

// An empty outbox keeps no more room than that.
constexpr std::size_t kSpareBytesMax = 1 << 20;

}  // namespace

void UnackedLog::acknowledge(std::uint64_t sequence) {
  while (!empty()) {
    if (writtenSequence(all()) > sequence) return;
    frames_.removePrefix(firstFrame(all()).size());
  }
  if (frames_.capacity() > kSpareBytesMax) frames_.clear();
}

}  // namespace stormo::channel
