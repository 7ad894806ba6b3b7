#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/member.h"
#include "bench/plan.h"
#include "bench/shared_progress.h"
#include "sys/unique_fd.h"

namespace stormo::bench {

/// One process of the load generator: its share of the members, and the publishers among them.
/// Built to cost little beside the server that it drives: a bare loop over epoll, and members that
/// do not look at what they get but count its bytes.
class Generator {
 public:
  /// `plan` and `progress` outlive this. Takes the members m with m mod plan.processes == index.
  Generator(const Plan& plan, std::size_t index, SharedProgress& progress);

  /// Goes through the phases with the progress, until its end.
  void run();

 private:
  // Connections.
  void connectMore();
  void connect(Member& member);
  void watch(Member& member, int operation);
  void send(Member& member, std::string_view bytes);
  void flush(Member& member);
  void onReadable(Member& member);
  /// False if it is not whole, or a refusal.
  bool takeHandshakeAnswer(Member& member, std::string_view& bytes);
  void join(Member& member);
  void close(Member& member, std::string_view why);

  // What comes in.
  void countBytes(Member& member);
  void readFrames(Member& member, std::string_view bytes);
  void onText(Member& member, const ServerFrame& frame);
  void onMessage(Member& member, const Stamp& stamp, std::size_t frameBytes);
  void onProbe(Member& member, const Stamp& stamp, std::size_t frameBytes);
  /// Whether who sent this publishes to the member's group.
  [[nodiscard]] bool isForGroupOf(const Member& member, const Stamp& stamp) const;
  void republish(Member& member);

  // What goes out.
  void publish(Publisher& publisher, std::uint64_t sentNs);
  void publishDue();
  void sendOutput(Member& member);
  void sayAlive();

  // Phases.
  void enter(Phase phase);
  void probe();
  void beginCounting();
  void beginRun();
  void judgeMembers();
  [[nodiscard]] std::uint64_t messagesOf(const Member& member) const;
  [[nodiscard]] std::uint64_t delivered() const;
  [[nodiscard]] std::uint64_t nextLookNs() const;

  const Plan& plan_;
  const std::size_t index_;
  SharedProgress& progress_;
  ProcessProgress& own_;

  UniqueFd epoll_;
  std::vector<Member> members_;
  std::vector<Publisher> producers_;  // among the first of members_, in their order
  std::size_t nextToConnect_ = 0;
  std::size_t handshaking_ = 0;
  std::string request_;  // the opening handshake, with {group}
  std::string accept_;   // the key that must answer it
  std::vector<char> input_;
  std::string output_;

  Phase phase_ = Phase::Connect;
  std::uint64_t nowNs_ = 0;  // when this turn's events came
  std::uint32_t probedRound_ = 0;
  std::size_t probesHeard_ = 0;  // members that have heard that round
  std::size_t frameBytes_ = 0;   // of a message as members get it; 0 until one came
  std::size_t ownMessages_ = 0;  // of the member that is read now
  std::uint64_t strays_ = 0;     // messages of no publisher of the member's group
  std::uint64_t countedBytes_ = 0;
  std::uint64_t lookedAt_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t measureBeganNs_ = 0;
  std::uint64_t measureBeganDelivered_ = 0;
  std::uint64_t measureBeganPublished_ = 0;
  // Open loop.
  std::uint64_t intervalNs_ = 0;  // between two messages of this process; 0 outside of the run
  std::uint64_t dueNs_ = 0;
  std::size_t nextToPublish_ = 0;
  // Members that count.
  const std::string pong_;  // the frame
  std::uint64_t nextPulseNs_ = 0;
  std::size_t nextToPulse_ = 0;
};

}  // namespace stormo::bench
