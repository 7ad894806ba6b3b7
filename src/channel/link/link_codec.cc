#include "channel/link/link_codec.h"

#include "net/codec/codec_session.h"
#include "protocol/package/frame.h"

namespace stormo::channel {

void LinkCodec::begin(net::CodecSession& session) const {
  if (opensAtOnce_) session.open();
}

std::size_t LinkCodec::receive(net::CodecSession& session, std::span<char> bytes) const {
  const std::string_view all(bytes.data(), bytes.size());
  const std::size_t frameBytesMax = session.messageBytesMax();
  net::ConnectionImpl& connection = session.connection();
  Counters& counters = session.counters();
  std::size_t taken = 0;
  while (taken < all.size() && session.isUsable() && !session.isPaused()) {
    const std::string_view rest = all.substr(taken);
    const PackageLength length = frameLength(rest, frameBytesMax);
    if (length.verdict == PackageLength::Verdict::Invalid) {
      sink_.violation(connection, "a frame with an invalid length", framePayload(rest));
      break;
    }
    if (length.verdict == PackageLength::Verdict::NeedMore) {
      if (length.bytes == 0 || sink_.expects(connection, length.bytes, framePayload(rest))) break;
      sink_.violation(connection, "an unexpected frame", framePayload(rest));
      break;
    }
    counters.messagesIn.add();
    sink_.onFrame(connection, framePayload(rest.substr(0, length.bytes)));
    taken += length.bytes;
  }
  return taken;
}

void LinkCodec::encode(Message message, net::Variant /*variant*/, net::Batch& batch,
                       net::OutputOrder& order) const {
  char* const frame = batch.extend(kFrameHeaderBytes + message.data.size(), order);
  encodeFrameHeader(message.data.size(), frame);
  message.data.copy(frame + kFrameHeaderBytes, message.data.size());
}

}  // namespace stormo::channel
