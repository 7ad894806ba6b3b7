#include "channel/link/link_codec.h"

#include "net/connection_table.h"
#include "protocol/package/frame.h"

namespace stormo::channel {

void LinkCodec::begin(net::ConnectionImpl& peer) const {
  if (opensAtOnce_) peer.table.open(peer);
}

std::size_t LinkCodec::receive(net::ConnectionImpl& peer, std::span<char> bytes) const {
  const std::string_view all(bytes.data(), bytes.size());
  const std::size_t frameBytesMax = peer.endpoint->packageBytesMax;
  Counters& counters = peer.table.counters();
  std::size_t taken = 0;
  while (taken < all.size() && peer.isUsable() && !peer.receivePaused) {
    const std::string_view rest = all.substr(taken);
    const PackageLength length = frameLength(rest, frameBytesMax);
    if (length.verdict == PackageLength::Verdict::Invalid) {
      sink_.violation(peer, "a frame of impossible length", framePayload(rest));
      break;
    }
    if (length.verdict == PackageLength::Verdict::NeedMore) {
      if (length.bytes == 0 || sink_.expects(peer, length.bytes, framePayload(rest))) break;
      sink_.violation(peer, "an unexpected frame", framePayload(rest));
      break;
    }
    counters.messagesIn.add();
    sink_.onFrame(peer, framePayload(rest.substr(0, length.bytes)));
    taken += length.bytes;
  }
  return taken;
}

void LinkCodec::encode(Message message, net::Batch& batch, net::OutputOrder& order) const {
  char* const frame = batch.extend(kFrameHeaderBytes + message.data.size(), order);
  encodeFrameHeader(message.data.size(), frame);
  message.data.copy(frame + kFrameHeaderBytes, message.data.size());
}

}  // namespace stormo::channel
