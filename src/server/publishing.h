#pragma once

#include <stormo/worker.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "base/fifo.h"
#include "channel/client/bus.h"

namespace stormo::server {

/// What a client is told of a message that the Channel does not accept, in either protocol.
inline constexpr std::string_view kMessageTooLong = "message_too_long";
inline constexpr std::string_view kMessageTooLongText =
    "the message is longer than the Channel accepts";

/// Clients' messages on their way to the Channel. When it has no room, a client is not read until
/// its message has left. Well before that, those that send more than their share of a turn are not
/// read: so the messages of all others get to the Channel behind a few of theirs only.
class Publishing {
 public:
  struct Outgoing {
    std::string_view group;
    std::string_view message;
    SendId send = {};
    std::uint64_t request = 0;  ///< Zero: nobody asks what becomes of it.
  };

  Publishing(Worker& worker, channel::Bus& bus) : worker_(worker), bus_(bus) {}

  void publish(Connection& client, const Outgoing& message);
  /// Little is on its way.
  [[nodiscard]] bool hasRoom() const { return bus_.unacknowledgedBytes() < kWindowBytes; }
  /// The Channel has passed on the message of that request. The client may be gone.
  std::function<void(ConnectionId client, std::uint64_t request)> onDone;
  /// The Channel does not accept the message of that request; 0 as in Outgoing. The client may be
  /// gone.
  std::function<void(ConnectionId client, std::uint64_t request)> onRefused;

  // As the bus says it.
  void onDrain();
  void onAcknowledged();
  void onRejected(std::uint64_t number);

 private:
  // What the Channel takes within a millisecond or so.
  static constexpr std::size_t kWindowBytes = 256 << 10;

  /// A message for which there was no room. Its client is not read: so each has one at the most.
  struct Waiting {
    ConnectionId client;
    std::string group;
    std::string message;
    SendId send;
    std::uint64_t request;
  };
  struct Accepted {
    std::uint64_t number;  ///< As the bus counts.
    ConnectionId client;
    std::uint64_t request;
  };

  /// False if there is no room.
  bool tryPublish(ConnectionId client, const Outgoing& message);

  Worker& worker_;
  channel::Bus& bus_;
  std::deque<Waiting> waiting_;
  Fifo<Accepted> accepted_;  // and not acknowledged yet
};

}  // namespace stormo::server
