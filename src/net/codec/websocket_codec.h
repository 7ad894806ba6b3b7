#pragma once

#include <stormo/connection.h>
#include <stormo/websocket.h>

#include <functional>
#include <optional>
#include <string>

#include "net/codec/websocket_messages.h"
#include "net/refusal_log_limit.h"
#include "protocol/websocket/handshake.h"

namespace stormo::net {

/// WebSocket, server side (RFC 6455), on a connection: HTTP until the upgrade, messages after it.
class WebSocketCodec final : public WebSocketMessages {
 public:
  using ConnectHandler = std::function<void(Connection&, WebSocketHandshake&)>;
  using OpenHandler = std::function<void(Connection&)>;

  explicit WebSocketCodec(WebSocketOptions options, ConnectHandler onConnect = {},
                          OpenHandler onOpen = {})
      : WebSocketMessages(websocket::Sender::Client, options.deflate),
        options_(std::move(options)),
        onConnect_(std::move(onConnect)),
        onOpen_(std::move(onOpen)) {}

  /// `problem` states why this process takes no clients now, for WebSocketOptions::healthPages;
  /// empty if it takes them. `takesNoClients`: true once upgrades are answered with 503.
  void reportReadiness(std::function<std::string_view()> problem,
                       std::function<bool()> takesNoClients = {}) {
    problem_ = std::move(problem);
    takesNoClients_ = std::move(takesNoClients);
  }

  /// The request for an upgrade of a connection in its handshake.
  void beginUpgrade(CodecSession& session, const HttpRequest& request) const;

  [[nodiscard]] std::size_t receive(CodecSession& session, std::span<char> bytes) const override;
  [[nodiscard]] bool hasCloseCodes() const override { return true; }
  bool sendClose(CodecSession& session, CloseCode code, std::string_view reason) const override;
  [[nodiscard]] bool answersRefusals() const override { return true; }
  void answerRefusal(CodecSession& session, const RefusalAnswer& answer) const override;
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
  void answerPlainRequest(CodecSession& session, const HttpRequest& request,
                          const websocket::HandshakeVerdict& verdict) const;
  void refuse(CodecSession& session, const HttpRequest& request,
              const websocket::HandshakeVerdict& verdict) const;
  void respond(CodecSession& session, const HttpRequest& request, int status,
               std::string_view text) const;
  void respond(CodecSession& session, int status, std::string_view text,
               CloseCode code = CloseCode::Normal, bool headOnly = false) const;

  WebSocketOptions options_;
  ConnectHandler onConnect_;
  OpenHandler onOpen_;
  std::function<std::string_view()> problem_;
  std::function<bool()> takesNoClients_;
  mutable RefusalLogLimit refusedOrigins_;
};

}  // namespace stormo::net
