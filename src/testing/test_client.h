#pragma once

#include <stormo/protocol.h>
#include <stormo/testing.h>

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/tls/tls_session.h"
#include "protocol/websocket/decoder.h"
#include "sys/unique_fd.h"

namespace stormo::test {

/// Turns the loop until `condition` holds; throws std::runtime_error after 30 s.
void turnUntil(EventLoop& loop, const std::function<bool()>& condition);
/// Turns the loop as long as it has something to do.
void turnUntilIdle(EventLoop& loop);

/// The client's end of a connection. Reads and writes its socket without blocking; what the kernel
/// does not take is written at the next look.
struct Client::Impl {
  Impl(EventLoop& eventLoop, UniqueFd socket, Protocol protocol);

  /// Before anything else.
  void speakTls(const TlsClient& settings);
  /// The connection is ready for the protocol's own opening.
  [[nodiscard]] bool isConnected() const { return !tls_ || tls_->isEstablished(); }
  void openWebSocket(std::string_view path, const std::vector<HttpHeader>& headers);
  void send(Message message);
  void sendClose(CloseCode code, std::string_view reason);
  /// Writes and reads what is possible now.
  void look();
  [[nodiscard]] bool isWebSocket() const { return protocol_.isWebSocket(); }

  EventLoop& loop;
  int status = 0;
  std::deque<std::string> messages;
  bool isClosed = false;
  CloseCode closeCode = CloseCode::Abnormal;
  std::string closeReason;

 private:
  void write();
  void read();
  void takeBytes(std::span<const char> bytes);
  void takeHead();
  void takeFrames();
  void takePackages();
  void takeEvent(const websocket::Decoded& decoded);
  void sendFrame(websocket::Opcode opcode, std::string_view payload);

  UniqueFd socket_;
  Protocol protocol_;
  std::string input_;
  std::string output_;
  std::unique_ptr<net::TlsSession> tls_;  // null: the connection does not speak TLS
  std::string records_;                   // TLS: what must be sent
  websocket::Decoder decoder_;
  bool closeSent_ = false;
  bool closeReceived_ = false;
};

}  // namespace stormo::test
