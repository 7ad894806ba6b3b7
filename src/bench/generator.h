#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/member.h"
#include "bench/plan.h"
#include "bench/shared_progress.h"
#include "sys/unique_fd.h"

namespace stormo::bench {

/// One process of the load generator, with its share of the members; some of them publish. Costs
/// little compared with the server under test: a bare epoll loop, and most members count bytes
/// without reading them.
class Generator {
 public:
  /// `plan` and `progress` outlive this. Contains the members m with m mod plan.processes == index.
  Generator(const Plan& plan, std::size_t index, SharedProgress& progress);

  /// Follows the phases of `progress` until the last.
  void run();

 private:
  // Connections.
  void connectMore();
  void connect(Member& member);
  void watch(Member& member, int operation);
  [[nodiscard]] std::string requestOf(const Member& member) const;
  void send(Member& member, std::string_view bytes);
  /// As they are, whether with TLS or without.
  void sendRaw(Member& member, std::string_view bytes);
  void flush(Member& member);
  void onReadable(Member& member);
  /// Number of bytes; 0 if there are none, or the connection has ended and was closed.
  std::size_t receive(Member& member, std::span<char> buffer);
  /// Puts what is unread at the front of input_, and returns the rest of it. Closes the connection
  /// if there is none.
  std::span<char> spaceAfterUnread(Member& member);
  /// Takes `count` bytes from spaceAfterUnread().
  void take(Member& member, std::size_t count);
  /// False if the response is incomplete or a refusal.
  bool takeHandshakeAnswer(Member& member, std::string_view& bytes);
  void join(Member& member);
  void close(Member& member, std::string_view why);

  // TLS.
  void beginTls(Member& member);
  void encrypt(Member& member, std::string_view plaintext);
  void onRecords(Member& member);

  // Members of stormo.v1.
  void comeBack(Member& member, std::string_view why);
  void connectReturning();
  void onReturned(Member& member);
  void onV1Text(Member& member, const websocket::ServerFrame& frame);

  // Input.
  void countBytes(Member& member);
  void count(Member& member, std::size_t bytes);
  void readFrames(Member& member, std::string_view bytes);
  void onText(Member& member, const websocket::ServerFrame& frame);
  void onMessage(Member& member, const Stamp& stamp, std::size_t frameBytes);
  void onProbe(Member& member, const Stamp& stamp, std::size_t frameBytes);
  /// True if the sender of this message publishes to the member's group.
  [[nodiscard]] bool isForGroupOf(const Member& member, const Stamp& stamp) const;
  void republish(Member& member);

  // Output.
  void publish(Publisher& publisher, std::uint64_t sentNs);
  /// The frame of a message, in the member's protocol.
  [[nodiscard]] std::string_view frameOf(Publisher& publisher, const Stamp& stamp);
  void publishDue();
  void sendOutput(Member& member);
  void sendPulse();

  // Phases.
  void enter(Phase phase);
  void probe();
  void beginCounting();
  void beginRun();
  void countFaults();
  [[nodiscard]] std::uint64_t messagesOf(const Member& member) const;
  [[nodiscard]] std::uint64_t delivered() const;
  [[nodiscard]] std::uint64_t nextTickNs() const;

  const Plan& plan_;
  const std::size_t index_;
  SharedProgress& progress_;
  ProcessProgress& own_;

  UniqueFd epoll_;
  std::vector<Member> members_;
  std::vector<Publisher> publishers_;  // among the first of members_, in their order
  std::size_t nextToConnect_ = 0;
  std::size_t handshaking_ = 0;
  std::string request_;  // the opening handshake, with {group}
  std::string accept_;   // the expected Sec-WebSocket-Accept
  std::vector<char> input_;
  std::vector<char> records_;  // with TLS: input as it came
  std::string output_;

  Phase phase_ = Phase::Connect;
  std::uint64_t nowNs_ = 0;  // time of this turn's events
  std::uint32_t probedRound_ = 0;
  std::size_t probesReceived_ = 0;     // members that received a probe of that round
  std::size_t frameBytes_ = 0;         // of a message as members receive it; 0 before the first
  std::size_t ownMessages_ = 0;        // of the member that is being read
  std::uint64_t foreignMessages_ = 0;  // messages from no publisher of the member's group
  std::uint64_t countedBytes_ = 0;
  std::uint64_t readMessages_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t measureBeganNs_ = 0;
  std::uint64_t measureBeganDelivered_ = 0;
  std::uint64_t measureBeganPublished_ = 0;
  // Members of stormo.v1 that are away, by the time when they connect again.
  std::multimap<std::uint64_t, Member*> returns_;
  std::minstd_rand random_;
  // Open loop.
  std::uint64_t intervalNs_ = 0;  // between two messages of this process; 0 outside of the run
  std::uint64_t dueNs_ = 0;
  std::size_t nextToPublish_ = 0;
  // Members that only count.
  const std::string pong_;  // the frame
  std::uint64_t nextPulseNs_ = 0;
  std::size_t nextToPulse_ = 0;
};

}  // namespace stormo::bench
