#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/codec/codec_session.h"
#include "protocol/websocket/decoder.h"
#include "protocol/websocket/deflate.h"

namespace stormo::net {

/// What a connection keeps between two reads: a handshake that is not answered yet, part of a
/// message, or a ping to be answered.
struct WebSocketState final : CodecState {
  std::string response;    // that a PendingHandshake will send; empty: none waits
  bool holdsBack = false;  // receiving was paused for that
  bool opens = false;      // onWebSocketOpen is still to be called
  std::string acceptKey;   // of a client: that the server's answer must have
  websocket::Decoder decoder;
  std::uint64_t pongEnd =
      0;  // as ConnectionImpl::bytesWritten counts: then the kernel has our last pong
  bool owesPong = false;
  std::string ping;  // then: the latest
  // With context takeover, from the first compressed message on:
  std::optional<websocket::Inflater> inflater;
  std::optional<websocket::Deflater> deflater;

  [[nodiscard]] std::size_t heldBytes() const override { return decoder.heldBytes(); }
  [[nodiscard]] bool pongWaits(const CodecSession& session) const {
    return session.hasQueue() && session.bytesWritten() < pongEnd;
  }
  [[nodiscard]] bool isNeeded(const CodecSession& session) const {
    return !decoder.atRest() || !response.empty() || opens || inflater || deflater || owesPong ||
           pongWaits(session);
  }
};

inline WebSocketState* stateOrNull(CodecSession& session) {
  return static_cast<WebSocketState*>(session.state().get());
}

inline WebSocketState& stateOf(CodecSession& session) {
  if (session.state() == nullptr) session.state() = std::make_unique<WebSocketState>();
  return *stateOrNull(session);
}

}  // namespace stormo::net
