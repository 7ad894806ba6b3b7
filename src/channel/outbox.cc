#include "channel/outbox.h"

#include "protocol/channel_codec.h"
#include "protocol/frame.h"

namespace stormo::channel {
namespace {

// An empty outbox keeps no more room than that.
constexpr std::size_t kSpareBytesMax = 1 << 20;

}  // namespace

char* Outbox::extend(std::size_t bytes) {
  bytes_.resize(bytes_.size() + bytes);
  return bytes_.data() + bytes_.size() - bytes;
}

void Outbox::acknowledge(std::uint64_t sequence) {
  while (!empty()) {
    if (writtenSequence(all()) > sequence) break;
    begin_ += firstFrame(all()).size();
  }
  // Moved to the front only when at least as much has gone as is moved.
  if (begin_ < bytes_.size() - begin_) return;
  bytes_.erase(0, begin_);
  begin_ = 0;
  if (bytes_.empty() && bytes_.capacity() > kSpareBytesMax) bytes_ = {};
}

}  // namespace stormo::channel
