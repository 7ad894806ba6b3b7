#pragma once

#include <stormo/connection.h>
#include <stormo/websocket.h>

#include <functional>
#include <optional>
#include <string>

#include "net/codec/codec.h"
#include "net/codec/deflate_streams.h"
#include "net/refusal_log_limit.h"
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
  [[nodiscard]] std::size_t receive(CodecSession& session, std::span<char> bytes) const override;
  void encode(Message message, Variant variant, Batch& batch, OutputOrder& order) const override;
  void encodeNext(CodecSession& session, Message message) const override;
  [[nodiscard]] bool hasCloseCodes() const override { return true; }
  bool sendClose(CodecSession& session, CloseCode code, std::string_view reason) const override;
  bool ping(CodecSession& session) const override;
  void onDrained(CodecSession& session) const override;
  void onHandshakeTimeout(CodecSession& session) const override;

  /// The connection of this loop whose handshake waits for a PendingHandshake, or null.
  static ConnectionImpl* awaitingAnswer(ConnectionId id);
  /// Both for a connection that awaitingAnswer() returned.
  static void accept(ConnectionImpl& connection);
  static void refuse(ConnectionImpl& connection, int status, std::string_view text);

 private:
  std::size_t receiveHead(CodecSession& session, std::string_view bytes) const;
  void onRequest(CodecSession& session, const HttpRequest& request) const;
  void upgrade(CodecSession& session, const HttpRequest& request) const;
  [[nodiscard]] std::optional<std::string> negotiate(CodecSession& session,
                                                     const HttpRequest& request) const;
  static void open(CodecSession& session, std::string_view response);
  void reportOpen(CodecSession& session) const;
  static std::size_t holdBack(CodecSession& session, std::size_t bytes);
  void answerPlainRequest(CodecSession& session, const HttpRequest& request) const;
  void respond(CodecSession& session, const HttpRequest& request, int status,
               std::string_view text) const;
  void respond(CodecSession& session, int status, std::string_view text,
               CloseCode code = CloseCode::Normal, bool headOnly = false) const;

  std::size_t receiveMessages(CodecSession& session, std::span<char> bytes) const;
  void onEvent(CodecSession& session, const websocket::Decoded& decoded) const;
  void onCompressed(CodecSession& session, const websocket::Decoded& decoded) const;
  void answerPing(CodecSession& session, std::string_view payload) const;
  void control(CodecSession& session, websocket::Opcode opcode, std::string_view payload) const;

  WebSocketOptions options_;
  ConnectHandler onConnect_;
  OpenHandler onOpen_;
  mutable RefusalLogLimit refusedOrigins_;
  mutable websocket::Decoder atRest_;  // for connections that hold no partial message
  mutable std::string lastPing_;       // the latest of one read
  mutable DeflateStreams streams_;
};

}  // namespace stormo::net
