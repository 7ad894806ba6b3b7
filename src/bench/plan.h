#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "net/tls/tls_context.h"
#include "sys/address.h"

namespace stormo::bench {

/// Parameters of a load test. Members, groups and publishers are numbered from 0: member m is in
/// group m mod `groups`, and the first `publishers` members publish, each to its own group.
struct Plan {
  Address server = {};
  std::string host = {};  ///< Value of the Host field: "127.0.0.1:1234".
  /// The settings of wss://, which processes and members share. Null: no TLS.
  std::shared_ptr<const net::TlsContext> tls = {};
  std::string tlsHost = {};    ///< Name or IP address that the server's certificate is for.
  std::string target = "/";    ///< Of the request line. {group} is replaced.
  std::size_t members = 1000;  ///< Connections.
  std::size_t groups = 10;
  std::size_t publishers = 20;  ///< 0: idle connections are measured.
  /// Closed loop: messages of one publisher that it has sent but not yet received itself.
  std::size_t inFlight = 4;
  /// Open loop: messages per second of all publishers together, independent of deliveries. 0:
  /// closed loop.
  double rate = 0;
  std::size_t messageBytes = 64;
  std::chrono::milliseconds warmUp{1000};
  std::chrono::milliseconds duration{5000};
  /// Missing messages are counted after this time without any delivery at the end.
  std::chrono::milliseconds timeout{10'000};
  /// Members that only count bytes do not see pings. They send an unsolicited pong at this interval
  /// (RFC 6455 5.5.3), the first one after a usual test has ended.
  std::chrono::milliseconds pulse{10'000};
  /// Time between two polls of the sockets. A generator that sleeps until input arrives would be
  /// woken by each send of the server, at the server's cost; clients on other machines are not.
  std::chrono::microseconds tick{50};
  /// Number of generator processes; the members are divided among them. 0: as many as the limit of
  /// open files requires.
  std::size_t processes = 0;
  /// All members read every message. Otherwise the publishers and one member in a hundred do, and
  /// the others count bytes.
  bool checkAll = false;
  /// Members speak stormo.v1 and make their connection again when it ends; `checkAll` is set. The
  /// texts below are not used.
  bool isV1 = false;
  /// Publishers acknowledge input at once (TCP_QUICKACK). Otherwise a server with Nagle's algorithm
  /// waits 40 ms for the acknowledgement.
  bool quickAck = false;

  // Texts sent to the server. {group}: a group's name, {message}: the message, {bytes}: its length.
  // Empty texts are not sent.
  std::string hello = {};  ///< Sent after the handshake.
  /// The join waits for a text with this prefix. Empty: it does not wait.
  std::string helloReply = {};
  std::string join = R"({"cmd":"add_group","group_id":"{group}"})";
  std::string publish = R"({"cmd":"send_to_group","group_id":"{group}","message":"{message}"})";

  [[nodiscard]] bool isOpenLoop() const { return rate > 0; }
  [[nodiscard]] bool isIdle() const { return publishers == 0; }
  [[nodiscard]] std::size_t groupOf(std::size_t member) const { return member % groups; }
  /// Maximum number of publishers of one group.
  [[nodiscard]] std::size_t publishersInGroup() const { return (publishers + groups - 1) / groups; }
  /// A publisher's number among those of its group.
  [[nodiscard]] std::size_t placeInGroup(std::size_t publisher) const { return publisher / groups; }
};

/// Checks the plan and sets `processes`. Throws std::invalid_argument, with a sentence for the
/// user, if the plan is invalid.
void settle(Plan& plan);

}  // namespace stormo::bench
