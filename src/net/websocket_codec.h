#pragma once

#include <stormo/websocket.h>

#include <functional>

#include "net/codec.h"
#include "net/refused_origins.h"
#include "protocol/websocket/decoder.h"

namespace stormo::net {

/// WebSocket, server side (RFC 6455), on a connection: HTTP until the upgrade, messages after it.
class WebSocketCodec final : public Codec {
 public:
  using ConnectHandler = std::function<void(Connection&, WebSocketHandshake&)>;
  using OpenHandler = std::function<void(Connection&)>;

  explicit WebSocketCodec(WebSocketOptions options, ConnectHandler onConnect = {},
                          OpenHandler onOpen = {})
      : options_(std::move(options)),
        onConnect_(std::move(onConnect)),
        onOpen_(std::move(onOpen)) {}

  [[nodiscard]] std::string_view name() const override { return "websocket"; }
  [[nodiscard]] std::size_t receive(ConnectionImpl& peer, std::span<char> bytes) const override;
  void encode(Message message, Batch& batch, OutputOrder& order) const override;
  bool sayGoodbye(ConnectionImpl& peer, CloseCode code, std::string_view reason) const override;
  bool ping(ConnectionImpl& peer) const override;
  void onDrained(ConnectionImpl& peer) const override;
  void onHandshakeTimeout(ConnectionImpl& peer) const override;

  /// The connection of this loop whose handshake waits for a PendingHandshake, or null.
  static ConnectionImpl* awaitingAnswer(ConnectionId id);
  /// Both for a connection that awaitingAnswer() returned.
  static void accept(ConnectionImpl& peer);
  static void refuse(ConnectionImpl& peer, int status, std::string_view text);

 private:
  std::size_t receiveHead(ConnectionImpl& peer, std::string_view bytes) const;
  void onRequest(ConnectionImpl& peer, const HttpRequest& request) const;
  void upgrade(ConnectionImpl& peer, const HttpRequest& request) const;
  void open(ConnectionImpl& peer, std::string_view response) const;
  void reportOpen(ConnectionImpl& peer) const;
  std::size_t holdBack(ConnectionImpl& peer, std::size_t bytes) const;
  void answerPlainRequest(ConnectionImpl& peer, const HttpRequest& request) const;
  void respond(ConnectionImpl& peer, const HttpRequest& request, int status,
               std::string_view text) const;
  void respond(ConnectionImpl& peer, int status, std::string_view text,
               CloseCode code = CloseCode::Normal, bool headOnly = false) const;

  std::size_t receiveMessages(ConnectionImpl& peer, std::span<char> bytes) const;
  void onEvent(ConnectionImpl& peer, const websocket::Decoded& decoded) const;
  void answerPing(ConnectionImpl& peer, std::string_view payload) const;
  void control(ConnectionImpl& peer, websocket::Opcode opcode, std::string_view payload) const;

  WebSocketOptions options_;
  ConnectHandler onConnect_;
  OpenHandler onOpen_;
  mutable RefusedOrigins refusedOrigins_;
  mutable websocket::Decoder atRest_;  // for connections that hold nothing partial
  mutable std::string lastPing_;       // of those that came in one read
};

}  // namespace stormo::net
