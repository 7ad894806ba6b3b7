#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace stormo::bench {

/// One client of stormo.v1 (docs/v1-protocol.md) over many connections: it joins its group at its
/// last position, and sends again what has no reply. Texts only; it has no socket.
class V1Session {
 public:
  /// `number` distinguishes the sessions of one load test.
  V1Session(std::uint64_t number, std::string group);

  /// The frames to send first on each connection: the session, the join, and the sends without a
  /// reply.
  [[nodiscard]] std::string greeting();
  /// The frame that sends this message. It is kept until onText() has seen its reply.
  std::string_view send(std::string_view message);

  enum class Text {
    Message,   ///< Of the group.
    Joined,    ///< The reply to the join: no message was missed.
    Gap,       ///< The reply to the join: messages may be missing.
    Rejected,  ///< Another reply that is an error.
    Other,
  };
  /// Takes the position and the reply that the server's text states.
  Text onText(std::string_view text);

  [[nodiscard]] std::size_t unanswered() const { return unanswered_.size(); }

 private:
  struct Sent {
    std::uint64_t id;
    std::string frame;
  };

  const std::string session_;
  const std::string group_;
  std::string epoch_;  // empty: never joined
  std::uint64_t offset_ = 0;
  std::uint64_t lastId_ = 0;
  std::uint64_t joinId_ = 0;
  std::deque<Sent> unanswered_;
};

}  // namespace stormo::bench
