#pragma once

#include <optional>
#include <string_view>

#include "net/codec/fixed_answers.h"
#include "net/codec/http_codec.h"
#include "protocol/http/response_head.h"

namespace stormo::net {

/// A request of a connection whose answer is not complete. Made for one call: see PendingResponse
/// for its functions.
class HttpExchange {
 public:
  HttpExchange(const CodecSession& session, HttpState& state) : session_(session), state_(state) {}

  /// The exchange of a connection of this loop with the request of that number; nothing if it is
  /// complete, or the connection is closing.
  static std::optional<HttpExchange> find(ConnectionId connection, std::uint64_t request);

  bool setStatus(int status);
  bool addHeader(std::string_view name, std::string_view value);
  SendStatus write(std::string_view part);
  void end(std::string_view last);
  void answer(const FixedAnswer& answer);
  void beginEvents();
  /// Of a stream of events: a comment that keeps it alive.
  void comment();

 private:
  [[nodiscard]] const HttpCodec& codec() {
    return static_cast<const HttpCodec&>(*session_.connection().endpoint->codec);
  }
  [[nodiscard]] bool hasBegun() const { return state_.step == HttpState::Step::Streaming; }
  void appendHead(ResponseFraming framing, std::uint64_t bodyBytes, std::string& out);
  void sendPart(std::string_view part, std::string& out);
  void send(std::string_view bytes);

  CodecSession session_;
  HttpState& state_;
};

}  // namespace stormo::net
