#include "net/codec/websocket_messages.h"

#include <cstring>
#include <utility>

#include "net/codec/codec_session.h"
#include "net/codec/websocket_state.h"
#include "protocol/websocket/close.h"

namespace stormo::net {
namespace {

using websocket::Opcode;

Opcode opcodeOf(Message message) { return message.isBinary() ? Opcode::Binary : Opcode::Text; }

void appendPlain(Opcode opcode, std::string_view payload, Batch& batch, OutputOrder& order,
                 bool compressed) {
  char header[websocket::kServerHeaderBytesMax];
  const std::size_t headerBytes =
      websocket::encodeHeader(opcode, payload.size(), header, compressed);
  char* const place = batch.extend(headerBytes + payload.size(), order);
  std::memcpy(place, header, headerBytes);
  payload.copy(place + headerBytes, payload.size());
}

void appendMasked(const char key[4], Opcode opcode, std::string_view payload, Batch& batch,
                  OutputOrder& order, bool compressed) {
  char header[websocket::kClientHeaderBytesMax];
  const std::size_t headerBytes =
      websocket::encodeMaskedHeader(opcode, payload.size(), key, header, compressed);
  char* const place = batch.extend(headerBytes + payload.size(), order);
  std::memcpy(place, header, headerBytes);
  websocket::copyMasked(payload, key, place + headerBytes);
}

}  // namespace

WebSocketMessages::WebSocketMessages(websocket::Sender peer, const DeflateOptions& deflate)
    : deflate_(deflate),
      peer_(peer),
      keys_(peer == websocket::Sender::Server ? std::make_unique<MaskKeys>() : nullptr) {}

void WebSocketMessages::dropStateAtRest(CodecSession& session) {
  const WebSocketState* state = stateOrNull(session);
  if (state != nullptr && !state->isNeeded(session)) session.state().reset();
}

void WebSocketMessages::compress(CodecSession& session, int windowBits, bool keepsInputContext,
                                 bool keepsOutputContext) {
  session.setVariant(static_cast<Variant>(windowBits));
  if (keepsInputContext) session.keepInputContext();
  if (keepsOutputContext) session.keepOutputContext();
}

websocket::Limits WebSocketMessages::limitsOf(const CodecSession& session) const {
  return {.messageBytesMax = session.messageBytesMax(),
          .compression = session.variant() == kPlain ? websocket::Compression::Off
                                                     : websocket::Compression::Negotiated,
          .sender = peer_};
}

std::size_t WebSocketMessages::receiveMessages(CodecSession& session, std::span<char> bytes) const {
  WebSocketState* const state = stateOrNull(session);
  websocket::Decoder& decoder = state != nullptr ? state->decoder : atRest_;
  const websocket::Limits limits = limitsOf(session);
  std::span<char> rest = bytes;
  bool pinged = false;
  bool going = session.takesInput();
  while (going && !session.isPaused()) {
    const websocket::Decoded decoded = decoder.next(rest, limits);
    if (decoded.event == websocket::Event::NeedMore) break;
    if (decoded.event == websocket::Event::Ping) {
      pinged = true;
      lastPing_ = decoded.payload;
    } else {
      if (pinged && decoded.event == websocket::Event::Close && session.isUsable()) {
        answerPing(session, lastPing_);  // RFC 6455 5.5.2: it came before the close frame
      }
      onEvent(session, decoded);
    }
    going = session.takesInput();
    if (!session.spendOnFrame()) break;
  }
  if (!going) {
    if (state == nullptr) atRest_ = {};
    return bytes.size();
  }
  if (state == nullptr && !decoder.atRest()) {
    stateOf(session).decoder = std::move(atRest_);
    atRest_ = {};
  }
  if (pinged && session.isUsable()) answerPing(session, lastPing_);
  dropStateAtRest(session);
  return bytes.size() - rest.size();
}

void WebSocketMessages::onEvent(CodecSession& session, const websocket::Decoded& decoded) const {
  switch (decoded.event) {
    case websocket::Event::NeedMore:
    case websocket::Event::Fragment:
    case websocket::Event::Ping:
      return;
    case websocket::Event::Message:
      if (decoded.compressed) return onCompressed(session, decoded);
      return session.deliver(
          Message(decoded.payload, decoded.binary ? MessageType::Binary : MessageType::Text));
    case websocket::Event::Pong:
      return;  // any input counts as an answer, see Keepalive
    case websocket::Event::Close:
      if (session.isUsable() && !decoded.payload.empty()) {
        session.connection().closeReason = std::make_unique<std::string>(decoded.payload);
      }
      return session.onCloseFrame(decoded.code);
    case websocket::Event::Violation:
      return session.refuse(decoded.code, decoded.reason);
  }
}

void WebSocketMessages::onCompressed(CodecSession& session,
                                     const websocket::Decoded& decoded) const {
  websocket::Inflater* inflater = nullptr;
  if (session.keepsInputContext()) {
    WebSocketState& state = stateOf(session);
    if (!state.inflater) state.inflater.emplace();
    inflater = &*state.inflater;
  } else {
    inflater = &streams_.inflater();
  }
  const auto message = websocket::inflate(decoded, *inflater, limitsOf(session));
  session.spend(inflater->inflatedBytes());
  onEvent(session, message);
}

/// RFC 6455 5.5.3: the pong carries the same bytes, and only the latest of several pings needs an
/// answer. While a pong waits for a peer that does not read, no other is queued.
void WebSocketMessages::answerPing(CodecSession& session, std::string_view payload) const {
  WebSocketState* const state = stateOrNull(session);
  const bool waits = state != nullptr && state->pongWaits(session);
  if (waits || session.isFull(payload.size())) {
    stateOf(session).owesPong = true;
    stateOf(session).ping = payload;
    return;
  }
  control(session, Opcode::Pong, payload);
  if (state != nullptr) state->owesPong = false;
  if (!session.hasQueue()) return;
  stateOf(session).pongEnd = session.bytesWrittenAtEnd();
}

void WebSocketMessages::onDrained(CodecSession& session) const {
  WebSocketState* const state = stateOrNull(session);
  if (!std::exchange(state->owesPong, false)) return;
  if (session.isUsable()) control(session, Opcode::Pong, state->ping);
  dropStateAtRest(session);
}

bool WebSocketMessages::sendClose(CodecSession& session, CloseCode code,
                                  std::string_view reason) const {
  control(session, Opcode::Close, websocket::encodeClosePayload(code, reason));
  return true;
}

bool WebSocketMessages::ping(CodecSession& session) const {
  // After a full queue the ping would arrive too late. The time-out runs all the same: any input
  // counts as an answer.
  if (!session.isFull(0)) control(session, Opcode::Ping, {});
  return true;
}

/// Variants other than plain are the window bits of the compressor.
void WebSocketMessages::encode(Message message, Variant variant, Batch& batch,
                               OutputOrder& order) const {
  if (variant != kPlain && message.data.size() >= deflate_.messageBytesMin) {
    const std::string_view payload = streams_.deflater(variant).deflate(message.data);
    if (payload.size() < message.data.size()) {
      return append(opcodeOf(message), payload, batch, order, true);
    }
  }
  append(opcodeOf(message), message.data, batch, order);
}

void WebSocketMessages::encodeNext(CodecSession& session, Message message) const {
  if (message.data.size() < deflate_.messageBytesMin) {
    return append(opcodeOf(message), message.data, session.batch(), session.order());
  }
  // What a group has sent is in the client's window, but was not compressed by this stream.
  const bool isContextLost = session.takeFanoutMark();
  std::optional<websocket::Deflater>& deflater = stateOf(session).deflater;
  if (!deflater) deflater.emplace(session.variant());
  if (isContextLost) deflater->reset();
  // Sent compressed even if it is longer: the stream has it in its window, so the client must, too.
  append(opcodeOf(message), deflater->deflate(message.data), session.batch(), session.order(),
         true);
}

void WebSocketMessages::control(CodecSession& session, Opcode opcode,
                                std::string_view payload) const {
  append(opcode, payload, session.batch(), session.order());
}

void WebSocketMessages::append(Opcode opcode, std::string_view payload, Batch& batch,
                               OutputOrder& order, bool compressed) const {
  if (keys_ == nullptr) return appendPlain(opcode, payload, batch, order, compressed);
  appendMasked(keys_->next(), opcode, payload, batch, order, compressed);
}

}  // namespace stormo::net
