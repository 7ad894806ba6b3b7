#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace stormo {

/// A number with one writer. Other processes may read it at any time.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.store(get() + n, std::memory_order_relaxed); }
  void subtract(std::uint64_t n = 1) { value_.store(get() - n, std::memory_order_relaxed); }
  void set(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Links of a process to Channels in one dialect.
struct LinkCounters {
  Counter wanted;   ///< Connected or connecting now.
  Counter up;       ///< Connected now.
  Counter blocked;  ///< Of these: to a Channel whose log cannot be written now.
};

/// The log of a Channel's process.
struct LogCounters {
  Counter blocked;     ///< 1 while it cannot be written, else 0.
  Counter bytes;       ///< Of all its files.
  Counter lastOffset;  ///< Of the last record that was applied.
};

/// What a limit has refused, and what it would have refused in dry runs.
struct LimitCounter {
  Counter refused;
  Counter dryRun;

  void add(bool isDryRun) { (isDryRun ? dryRun : refused).add(); }
};

/// The limits of a Worker and of a GroupServer.
struct LimitCounters {
  LimitCounter connections;               ///< Connections.
  LimitCounter connectionsPerAddress;     ///< Connections.
  LimitCounter connectionsPerUser;        ///< Connections.
  LimitCounter connectionsPerSecond;      ///< Connections.
  LimitCounter handshakes;                ///< Handshakes that were ended for newer ones.
  LimitCounter messagesPerSecond;         ///< Times that a client was not read, or was closed.
  LimitCounter bytesPerSecond;            ///< The same.
  LimitCounter messagesPerSecondPerUser;  ///< The same.
  LimitCounter bytesPerSecondPerUser;     ///< The same.
  LimitCounter groupsPerClient;           ///< Joins.
  LimitCounter outputBytes;               ///< Connections closed.
};

/// What became of the messages of the groups of one SlowRule.
struct SlowRuleCounters {
  static constexpr std::size_t kTextBytes = 96;
  /// The rule: its pattern, cut to this length, its policy and its time. Written once, before
  /// isUsed is set.
  char groups[kTextBytes] = {};
  Counter policy;
  Counter everyMs;
  std::atomic<bool> isUsed{false};
  Counter dropped;       ///< Messages that were dropped for a member; once per member.
  Counter conflated;     ///< Messages that a later one of their interval replaced; once per member.
  Counter disconnected;  ///< Members that were closed because they did not drain.
};

/// Figures of one process. They are in memory shared with the master, so the last figures of a dead
/// process stay readable. A process without a master has its own copy.
struct Counters {
  Counter connections;       ///< Open now.
  Counter connectionsTotal;  ///< Ever accepted or connected.
  Counter groups;            ///< Groups (or channels) with members now.
  Counter timers;            ///< Active now.
  Counter listeners;         ///< Sockets from which clients are accepted now.
  Counter messagesIn;        ///< Complete messages received.
  Counter messagesOut;       ///< Messages queued for sending; a fan-out counts once per member.
  Counter bytesIn;
  Counter bytesOut;
  Counter sendCalls;         ///< send(2) and sendmsg(2).
  Counter sendFull;          ///< Messages rejected because the connection's output was full.
  Counter slowClosed;        ///< Connections closed because the peer did not read.
  Counter badPeers;          ///< Connections closed for a protocol violation.
  Counter originsRefused;    ///< Connections rejected by websocket.origins.
  Counter incompleteBytes;   ///< Bytes held now for incomplete messages of clients.
  Counter incompleteClosed;  ///< Connections closed because of an incomplete message.
  Counter handlerErrors;     ///< Exceptions thrown by user handlers.
  Counter turns;             ///< Turns of the event loop.
  Counter acceptPauses;      ///< Times that accepting paused, because the system lacked something.
  Counter acceptRefused;     ///< Clients disconnected because of it; the others wait.
  LimitCounters limits;
  LinkCounters stormoLinks;
  LinkCounters workermanLinks;
  LogCounters channelLog;
  static constexpr std::size_t kSlowRulesMax = 32;
  std::array<SlowRuleCounters, kSlowRulesMax> slowRules;
  Counter aliveAtMs;  ///< When the loop last answered its master, monotonic clock.
};

}  // namespace stormo
