#pragma once

#include <stormo/websocket.h>

#include <string>
#include <string_view>
#include <system_error>

#include "net/codec/websocket_messages.h"
#include "protocol/websocket/client_handshake.h"

namespace stormo::net {

/// WebSocket, client side (RFC 6455), on an outgoing connection: it asks for the upgrade, checks
/// the answer, and then calls onConnect. A refusal, or an invalid answer, fails the connection with
/// an Error. At most one connection of this codec is in its handshake at a time.
class WebSocketClientCodec final : public WebSocketMessages {
 public:
  /// `host` is the value of the Host header, `target` the path and query.
  WebSocketClientCodec(std::string host, std::string target);

  /// Takes the settings for the next handshake. Throws std::invalid_argument, and changes nothing,
  /// if one of them cannot be sent.
  void use(const WebSocketClientOptions& options);
  /// The subprotocol that the server of the latest connection has chosen, or empty.
  [[nodiscard]] const std::string& subprotocol() const { return subprotocol_; }

  [[nodiscard]] bool announcesLater() const override { return true; }
  void begin(CodecSession& session) const override;
  [[nodiscard]] std::size_t receive(CodecSession& session, std::span<char> bytes) const override;
  void onHandshakeTimeout(CodecSession& session) const override;
  void onHandshakeEnd(CodecSession& session) const override;

 private:
  std::size_t receiveHead(CodecSession& session, std::string_view bytes) const;
  void onAnswer(CodecSession& session, const HttpResponseHead& answer) const;
  static void fail(CodecSession& session, std::error_code error);

  websocket::UpgradeRequest request_;
  std::size_t headBytesMax_;
  mutable std::string subprotocol_;
};

}  // namespace stormo::net
