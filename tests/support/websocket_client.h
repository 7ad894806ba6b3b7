#pragma once

#include <stormo/close_code.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/websocket/frame.h"
#include "support/raw_peer.h"

namespace stormo::test {

/// A WebSocket client for tests. On one thread with the loop that it talks to: send, turn, then
/// next(). For a server in another process: await().
class WebSocketClient {
 public:
  struct Frame {
    websocket::Opcode opcode;
    std::string payload;
    bool operator==(const Frame&) const = default;
  };

  WebSocketClient() = default;
  explicit WebSocketClient(RawPeer peer) : peer_(std::move(peer)) {}
  /// Connects to a port of this machine, shakes hands, and waits for the answer. Not isOpen() if
  /// that failed.
  static WebSocketClient open(std::uint16_t port, std::string_view path = "/");

  RawPeer& raw() { return peer_; }

  /// The opening request; `extra` are whole header lines, each with its "\r\n".
  static std::string request(std::string_view path = "/", std::string_view extra = {});
  void sendHandshake(std::string_view path = "/", std::string_view extra = {}) {
    peer_.send(request(path, extra));
  }

  // --- The answer to it, once it is there ---

  /// Looks for the response's head; true when it is there.
  bool answered();
  [[nodiscard]] int status();
  [[nodiscard]] bool isOpen() { return answered() && status() == 101; }
  /// The value of a header; empty if there is none.
  [[nodiscard]] std::string header(std::string_view name);
  /// Of a response other than 101: what has come behind the head.
  [[nodiscard]] std::string body();

  // --- Messages ---

  /// A masked frame, ready to be sent, or to be cut into pieces. `first` is its first byte.
  static std::string frame(int first, std::string_view payload);
  static std::string text(std::string_view payload) { return frame(0x81, payload); }
  void sendText(std::string_view payload) { peer_.send(text(payload)); }
  void sendBinary(std::string_view payload) { peer_.send(frame(0x82, payload)); }
  void sendPing(std::string_view payload = {}) { peer_.send(frame(0x89, payload)); }
  void sendPong(std::string_view payload = {}) { peer_.send(frame(0x8a, payload)); }
  void sendClose(CloseCode code, std::string_view reason = {});

  /// The next whole frame that has come, if one has.
  std::optional<Frame> next();
  /// All whole frames that have come.
  std::vector<Frame> all();
  /// Only the payloads of the messages among them.
  std::vector<std::string> messages();
  /// Waits for the next frame; nothing if the connection ends before, or the time is over.
  std::optional<Frame> await(std::chrono::milliseconds longest = std::chrono::seconds(30));
  /// The code in a close frame; NoStatus if it holds none.
  static CloseCode closeCode(const Frame& frame);
  static std::string closeReason(const Frame& frame);

  [[nodiscard]] bool ended() { return peer_.ended(); }

 private:
  bool waitForMore(std::chrono::steady_clock::time_point deadline);

  RawPeer peer_;
  std::string head_;  // of the response, with its empty line
};

inline WebSocketClient::Frame textFrame(std::string payload) {
  return {websocket::Opcode::Text, std::move(payload)};
}
inline WebSocketClient::Frame binaryFrame(std::string payload) {
  return {websocket::Opcode::Binary, std::move(payload)};
}

}  // namespace stormo::test
