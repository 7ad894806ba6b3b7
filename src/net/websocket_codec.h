#pragma once

#include <stormo/websocket.h>

#include <functional>

#include "net/codec.h"
#include "net/refused_origins.h"
#include "protocol/websocket_decoder.h"

namespace stormo::net {

/// WebSocket, server side (RFC 6455), on a connection: HTTP until the upgrade, messages after it.
class WebSocketCodec final : public Codec {
 public:
  using ConnectHandler = std::function<void(Connection&, WebSocketHandshake&)>;

  explicit WebSocketCodec(WebSocketOptions options, ConnectHandler onConnect = {})
      : options_(std::move(options)), onConnect_(std::move(onConnect)) {}

  [[nodiscard]] std::string_view name() const override { return "websocket"; }
  [[nodiscard]] std::size_t receive(Peer& peer, std::span<char> bytes) const override;
  void encode(Message message, Batch& batch, OutputOrder& order) const override;
  bool sayGoodbye(Peer& peer, CloseCode code, std::string_view reason) const override;
  bool ping(Peer& peer) const override;
  void onDrained(Peer& peer) const override;
  void onHandshakeTimeout(Peer& peer) const override;

 private:
  std::size_t receiveHead(Peer& peer, std::string_view bytes) const;
  void onRequest(Peer& peer, const HttpRequest& request) const;
  void upgrade(Peer& peer, const HttpRequest& request) const;
  void answerPlainRequest(Peer& peer, const HttpRequest& request) const;
  void respond(Peer& peer, const HttpRequest& request, int status, std::string_view text) const;
  void respond(Peer& peer, int status, std::string_view text, CloseCode code = CloseCode::Normal,
               bool headOnly = false) const;

  std::size_t receiveMessages(Peer& peer, std::span<char> bytes) const;
  void onEvent(Peer& peer, const websocket::Decoded& decoded) const;
  void answerPing(Peer& peer, std::string_view payload) const;
  void control(Peer& peer, websocket::Opcode opcode, std::string_view payload) const;

  WebSocketOptions options_;
  ConnectHandler onConnect_;
  mutable RefusedOrigins refusedOrigins_;
  mutable websocket::Decoder atRest_;  // for connections that hold nothing partial
  mutable std::string lastPing_;       // of those that came in one read
};

}  // namespace stormo::net
