#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "sys/address.h"

namespace stormo::bench {

/// What a load test does. Members, groups and publishers are numbered from 0: member m is in group
/// m mod `groups`, and the first `publishers` members publish, each to its own group.
struct Plan {
  Address server = {};
  std::string host = {};       ///< Of the Host field: "127.0.0.1:1234".
  std::string target = "/";    ///< Of the request line; may say {group}.
  std::size_t members = 1000;  ///< Connections.
  std::size_t groups = 10;
  std::size_t publishers = 20;  ///< None: the connections stay idle, and are measured.
  /// Closed loop: what a publisher has sent and not yet got back itself.
  std::size_t inFlight = 4;
  /// Open loop: messages a second by all publishers together, whatever comes back. 0: closed loop.
  double rate = 0;
  std::size_t messageBytes = 64;
  std::chrono::milliseconds warmUp{1000};
  std::chrono::milliseconds duration{5000};
  /// At the end, without any progress for this long, what has not come counts as missing.
  std::chrono::milliseconds timeout{10'000};
  /// Members that only count bytes see no ping; they say this often, unasked, that they are alive
  /// (RFC 6455 5.5.3). The first time is when a usual test is over.
  std::chrono::milliseconds pulse{10'000};
  /// Between two looks at the sockets. A generator that slept until something came would be woken
  /// by the server's every send, at the server's cost, as clients on other machines are not.
  std::chrono::microseconds tick{50};
  /// Processes of the generator, among which the members are dealt. 0: as many as the limit of open
  /// files asks for.
  std::size_t processes = 0;
  /// All members look at every message. Else the publishers and one member in a hundred do, and the
  /// others count bytes.
  bool checkAll = false;
  /// ProducerTable acknowledge at once (TCP_QUICKACK) what comes: a server that leaves Nagle's
  /// algorithm on would else wait 40 ms for it.
  bool quickAck = false;

  // What is said to the server. {group}: a group's name, {message}: the message, {bytes}: its
  // length. Empty texts are not sent.
  std::string hello = {};       ///< After the handshake.
  std::string helloReply = {};  ///< The join waits for a text that begins so. Empty: for nothing.
  std::string join = R"({"cmd":"add_group","group_id":"{group}"})";
  std::string publish = R"({"cmd":"send_to_group","group_id":"{group}","message":"{message}"})";

  [[nodiscard]] bool isOpenLoop() const { return rate > 0; }
  [[nodiscard]] bool isIdle() const { return publishers == 0; }
  [[nodiscard]] std::size_t groupOf(std::size_t member) const { return member % groups; }
  /// ProducerTable of one group at the most.
  [[nodiscard]] std::size_t publishersInGroup() const { return (publishers + groups - 1) / groups; }
  /// A publisher's number among those of its group.
  [[nodiscard]] std::size_t placeInGroup(std::size_t publisher) const { return publisher / groups; }
};

/// Throws std::invalid_argument, with a sentence for the user, if the plan makes no sense. Fills in
/// `processes`.
void settle(Plan& plan);

}  // namespace stormo::bench
