#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/codec/codec_session.h"
#include "protocol/websocket/decoder.h"
#include "protocol/websocket/deflate.h"

namespace stormo::net {

/// What a connection keeps between two reads: a handshake that is answered later, part of a
/// message, or a ping to be answered.
struct WebSocketState final : CodecState {
  std::string response;    // that a PendingHandshake will send; empty: none waits
  bool holdsBack = false;  // receiving was paused for that
  bool opens = false;      // onWebSocketOpen is still to be called
  websocket::Decoder decoder;
  std::uint64_t pongEnd =
      0;  // as ConnectionImpl::bytesWritten counts: then the kernel has our last pong
  bool owesPong = false;
  std::string ping;  // then: the latest
  // With context takeover, from the first compressed message on:
  std::optional<websocket::Inflater> inflater;
  std::optional<websocket::Deflater> deflater;

  [[nodiscard]] std::size_t heldBytes() const override { return decoder.heldBytes(); }
  [[nodiscard]] bool keepsContext() const { return inflater || deflater; }
  [[nodiscard]] bool pongWaits(const CodecSession& session) const {
    return session.hasQueue() && session.bytesWritten() < pongEnd;
  }
};

inline WebSocketState* stateOrNull(CodecSession& session) {
  return static_cast<WebSocketState*>(session.state().get());
}

inline WebSocketState& stateOf(CodecSession& session) {
  if (session.state() == nullptr) session.state() = std::make_unique<WebSocketState>();
  return *stateOrNull(session);
}

inline websocket::Limits limitsOf(const CodecSession& session) {
  return {.messageBytesMax = session.messageBytesMax(),
          .compression = session.variant() == kPlain ? websocket::Compression::Off
                                                     : websocket::Compression::Negotiated};
}

inline void appendFrame(websocket::Opcode opcode, std::string_view payload, Batch& batch,
                        OutputOrder& order, bool compressed = false) {
  char header[websocket::kServerHeaderBytesMax];
  const std::size_t headerBytes =
      websocket::encodeHeader(opcode, payload.size(), header, compressed);
  char* const place = batch.extend(headerBytes + payload.size(), order);
  std::memcpy(place, header, headerBytes);
  payload.copy(place + headerBytes, payload.size());
}

}  // namespace stormo::net
