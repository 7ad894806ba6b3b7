#pragma once

#include <stormo/close_code.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/websocket/deflate.h"
#include "protocol/websocket/frame.h"
#include "support/raw_peer.h"

namespace stormo::test {

/// Reads the message or control frame at the front of `in`, a view into it; nullopt if it is
/// incomplete. Throws std::runtime_error if the frame is invalid (RFC 6455 5.2), or a fragment,
/// which Stormo does not send.
std::optional<websocket::ServerFrame> readServerFrame(
    std::string_view in, websocket::Compression compression = websocket::Compression::Off);

/// A WebSocket client for tests. On one thread with the server's loop: send, run turns, then
/// next(). For a server in another process: await().
class WebSocketClient {
 public:
  struct Frame {
    websocket::Opcode opcode;
    std::string payload;            // inflated
    std::size_t deflatedBytes = 0;  // of a compressed message; else 0
    bool operator==(const Frame&) const = default;
  };

  WebSocketClient() = default;
  explicit WebSocketClient(RawPeer peer) : peer_(std::move(peer)) {}
  /// Connects to a port of this machine and completes the handshake. Not isOpen() on failure.
  /// `extra`: as of request().
  static WebSocketClient open(std::uint16_t port, std::string_view path = "/",
                              std::string_view extra = {});

  RawPeer& raw() { return peer_; }

  /// The opening request. `extra`: whole header lines, each with its CR LF.
  static std::string request(std::string_view path = "/", std::string_view extra = {});
  void sendHandshake(std::string_view path = "/", std::string_view extra = {}) {
    peer_.send(request(path, extra));
  }

  // --- The response ---

  /// Reads input. Returns true once the response's head is complete.
  bool answered();
  [[nodiscard]] int status();
  [[nodiscard]] bool isOpen() { return answered() && status() == 101; }
  /// The value of a header; empty if there is none.
  [[nodiscard]] std::string header(std::string_view name);
  /// For a response other than 101: the bytes after the head.
  [[nodiscard]] std::string body();

  // --- Messages ---

  /// A masked frame, to be sent whole or in pieces. `first` is its first byte.
  static std::string frame(int first, std::string_view payload);
  static std::string text(std::string_view payload) { return frame(0x81, payload); }
  void sendText(std::string_view payload) { peer_.send(text(payload)); }
  void sendBinary(std::string_view payload) { peer_.send(frame(0x82, payload)); }
  void sendPing(std::string_view payload = {}) { peer_.send(frame(0x89, payload)); }
  void sendPong(std::string_view payload = {}) { peer_.send(frame(0x8a, payload)); }
  void sendClose(CloseCode code, std::string_view reason = {});

  /// The next complete frame, if there is one. Throws std::runtime_error for an invalid one, and
  /// for a compressed one unless the server has agreed to permessage-deflate.
  std::optional<Frame> next();
  /// All complete frames.
  std::vector<Frame> all();
  /// The payloads of all messages among the complete frames.
  std::vector<std::string> messages();
  /// Waits for the next frame; nullopt if the connection ends, or at the time limit.
  std::optional<Frame> await(std::chrono::milliseconds longest = std::chrono::seconds(30));
  /// The code of a close frame; NoStatus if it has none.
  static CloseCode closeCode(const Frame& frame);
  static std::string closeReason(const Frame& frame);

  [[nodiscard]] bool ended() { return peer_.ended(); }

 private:
  bool waitForMore(std::chrono::steady_clock::time_point deadline);

  RawPeer peer_;
  std::string head_;  // of the response, including its empty line
  std::optional<websocket::Inflater> inflater_;
};

inline WebSocketClient::Frame textFrame(std::string payload) {
  return {.opcode = websocket::Opcode::Text, .payload = std::move(payload)};
}
inline WebSocketClient::Frame binaryFrame(std::string payload) {
  return {.opcode = websocket::Opcode::Binary, .payload = std::move(payload)};
}

}  // namespace stormo::test
