#pragma once

#include <stormo/close_code.h>

#include <cstdint>
#include <deque>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/deadline.h"
#include "support/websocket_client.h"

namespace stormo::integration {

/// A client of stormo.v1 (docs/v1-protocol.md). Its calls wait until the deadline at most, and
/// throw std::runtime_error at the deadline.
class V1Client {
 public:
  using Json = nlohmann::json;

  /// Connects. `token` is sent in the query, if there is one. The client is not isOpen() if no
  /// process accepts it.
  V1Client(const test::Deadline& deadline, std::uint16_t port, const std::string& token = {});

  [[nodiscard]] bool isOpen() { return client_.isOpen(); }
  /// By which `connections` shows it.
  [[nodiscard]] std::uint16_t localPort() const { return localPort_; }

  /// Sends a command with the next id, and returns its reply. Events that come before it are kept
  /// for nextEvent(). Throws if the connection ends.
  Json request(Json command);
  /// The reply to a join at that position; other fields ("group" or "to") are `what`.
  Json join(Json what, const Json& position = nullptr);
  /// Throws if the connection ends.
  Json nextEvent();
  /// The texts of the messages up to the one with that text. Drops other events.
  std::vector<std::string> messagesThrough(const std::string& last);
  /// The texts of the messages that have come before the reply to a ping. Drops other events.
  std::vector<std::string> messagesSoFar();

  struct Closed {
    CloseCode code = CloseCode::Abnormal;  ///< 1006: the connection ended without a close frame.
    std::string reason;
    bool operator==(const Closed&) const = default;
  };
  /// Waits for the end of the connection. What comes before it is kept for nextEvent().
  Closed awaitClose();

 private:
  /// The next message; nothing at the end of the connection, which `closed_` describes.
  std::optional<Json> next();

  const test::Deadline& deadline_;
  test::WebSocketClient client_;
  std::uint16_t localPort_;
  int lastId_ = 0;
  std::deque<Json> events_;
  Closed closed_;
};

}  // namespace stormo::integration
