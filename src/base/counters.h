#pragma once

#include <atomic>
#include <cstdint>

namespace stormo {

/// A number with one writer that other processes may read at any time.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.store(get() + n, std::memory_order_relaxed); }
  void subtract(std::uint64_t n = 1) { value_.store(get() - n, std::memory_order_relaxed); }
  void set(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// A process's links to Channels in one dialect.
struct LinkCounters {
  Counter wanted;  ///< Connected or connecting now.
  Counter up;      ///< Connected now.
};

/// What one process tells of itself. Lives in a page shared with its master, so that the last
/// figures of a dead process stay readable; a process without a master keeps its own.
struct Counters {
  // Written by the process.
  Counter connections;       ///< Open now.
  Counter connectionsTotal;  ///< Ever accepted or connected.
  Counter groups;            ///< Groups (or channels) with members now.
  Counter timers;            ///< Active now.
  Counter listeners;         ///< Sockets from which clients are accepted now.
  Counter messagesIn;        ///< Complete messages from peers.
  Counter messagesOut;       ///< Messages put into peers' output, fan-out counted per member.
  Counter bytesIn;
  Counter bytesOut;
  Counter sendCalls;         ///< send(2) and sendmsg(2).
  Counter sendFull;          ///< Messages refused because a peer's output was full.
  Counter slowClosed;        ///< Peers closed because they did not drain.
  Counter badPeers;          ///< Connections closed for breaking their protocol.
  Counter originsRefused;    ///< Pages that may not connect (websocket.origins).
  Counter incompleteBytes;   ///< Held now, of clients' messages that are not whole yet.
  Counter incompleteClosed;  ///< Connections closed because of such a message.
  Counter handlerErrors;     ///< Exceptions that a user's handler threw.
  Counter turns;             ///< Turns of the event loop.
  LinkCounters stormoLinks;
  LinkCounters workermanLinks;
  Counter aliveAtMs;  ///< Monotonic clock, when the loop last answered its master.
};

}  // namespace stormo
