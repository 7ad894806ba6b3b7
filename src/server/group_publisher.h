#pragma once

#include <stormo/channel.h>
#include <stormo/worker.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace stormo::server {

/// The error that a client of either protocol receives for a message that the Channel refuses.
inline constexpr std::string_view kMessageTooLong = "message_too_long";
inline constexpr std::string_view kMessageTooLongText =
    "the message is longer than the Channel accepts";

/// Publishes the messages of clients. While the Channel has no room, a client is not read until its
/// message was published. Well before that, clients that send more than their share of a turn are
/// not read, so that the messages of all others wait for few of theirs.
class GroupPublisher {
 public:
  struct Send {
    std::string_view group;
    std::string_view message;
    SendId id = {};
    std::uint64_t request = 0;  ///< 0: the client expects no reply.
  };

  GroupPublisher(Worker& worker, Channel& channel) : worker_(worker), channel_(channel) {}

  void publish(Connection& client, const Send& send);
  /// Only few bytes wait for their acknowledgement.
  [[nodiscard]] bool hasRoom() const { return channel_.unackedBytes() < kWindowBytes; }
  /// The Channel has acknowledged the message of that request. The client may be closed.
  std::function<void(ConnectionId client, std::uint64_t request)> onDone;
  /// The Channel has refused the message of that request; 0 as in Send. The client may be closed.
  std::function<void(ConnectionId client, std::uint64_t request)> onRefused;

  // To be called when the Channel calls its handlers of these names.
  void onDrain();
  void onAcknowledged();
  void onRejected(std::uint64_t number);

 private:
  // Bytes that the Channel takes within about a millisecond.
  static constexpr std::size_t kWindowBytes = 256 << 10;

  /// A message for which there was no room. Its client is not read, so each client has at most one.
  struct Waiting {
    ConnectionId client;
    std::string group;
    std::string message;
    SendId id;
    std::uint64_t request;
  };
  struct Accepted {
    std::uint64_t number;  ///< As Channel::accepted() counts.
    ConnectionId client;
    std::uint64_t request;
  };

  /// Returns false if there is no room.
  bool tryPublish(ConnectionId client, const Send& send);

  Worker& worker_;
  Channel& channel_;
  std::deque<Waiting> waiting_;
  std::vector<Accepted> accepted_;  // in the order of their numbers
  std::size_t firstOpen_ = 0;       // of accepted_, which is not acknowledged yet
};

}  // namespace stormo::server
