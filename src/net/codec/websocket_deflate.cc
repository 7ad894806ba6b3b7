// The parts of WebSocketCodec that compress (RFC 7692).
#include <string_view>

#include "net/codec/codec_session.h"
#include "net/codec/websocket_codec.h"
#include "net/codec/websocket_state.h"
#include "protocol/websocket/deflate_negotiation.h"

namespace stormo::net {
namespace {

websocket::Opcode opcodeOf(Message message) {
  return message.isBinary() ? websocket::Opcode::Binary : websocket::Opcode::Text;
}

}  // namespace

/// The extensions that are agreed on, for the response; nothing if the client's offers do not
/// conform to their grammar (RFC 6455 9.1).
std::optional<std::string> WebSocketCodec::negotiate(CodecSession& session,
                                                     const HttpRequest& request) const {
  if (!options_.deflate.enabled) return std::string();
  const auto offers = websocket::parseExtensions(request.headers);
  if (!offers) return std::nullopt;
  const auto agreed = websocket::acceptDeflate(*offers, options_.deflate.contextTakeover);
  if (!agreed) return std::string();
  session.setVariant(agreed->serverWindowBits.value_or(websocket::kWindowBitsMax));
  if (!agreed->serverNoContextTakeover) session.keepOutputContext();
  if (!agreed->clientNoContextTakeover) session.keepInputContext();
  return websocket::deflateHeader(*agreed);
}

void WebSocketCodec::onCompressed(CodecSession& session, const websocket::Decoded& decoded) const {
  websocket::Inflater* inflater = nullptr;
  if (session.keepsInputContext()) {
    WebSocketState& state = stateOf(session);
    if (!state.inflater) state.inflater.emplace();
    inflater = &*state.inflater;
  } else {
    inflater = &streams_.inflater();
  }
  const auto message = websocket::inflate(decoded, *inflater, limitsOf(session));
  session.spend(message.payload.size());
  onEvent(session, message);
}

/// Variants other than plain are the window bits of the compressor.
void WebSocketCodec::encode(Message message, Variant variant, Batch& batch,
                            OutputOrder& order) const {
  if (variant != kPlain && message.data.size() >= options_.deflate.messageBytesMin) {
    const std::string_view payload = streams_.deflater(variant).deflate(message.data);
    if (payload.size() < message.data.size()) {
      return appendFrame(opcodeOf(message), payload, batch, order, true);
    }
  }
  appendFrame(opcodeOf(message), message.data, batch, order);
}

void WebSocketCodec::encodeNext(CodecSession& session, Message message) const {
  if (message.data.size() < options_.deflate.messageBytesMin) {
    return appendFrame(opcodeOf(message), message.data, session.batch(), session.order());
  }
  // What a group has sent is in the client's window, but was not compressed by this stream.
  const bool isContextLost = session.takeFanoutMark();
  std::optional<websocket::Deflater>& deflater = stateOf(session).deflater;
  if (!deflater) deflater.emplace(session.variant());
  if (isContextLost) deflater->reset();
  // Sent compressed even if it is longer: the stream has it in its window, so the client must, too.
  appendFrame(opcodeOf(message), deflater->deflate(message.data), session.batch(), session.order(),
              true);
}

}  // namespace stormo::net
