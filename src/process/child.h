#pragma once

#include <stormo/event_loop.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/counters.h"

namespace stormo::process {

/// A row of the `connections` command.
struct ConnectionRow {
  std::uint64_t id = 0;
  std::string transport;  ///< "tcp", "unix"
  std::string protocol;   ///< "websocket", "frame", "text", "tcp", or a user's own
  std::string state;      ///< "OPEN", "HANDSHAKE", "CLOSING", "PAUSED"
  std::uint64_t receiveQueueBytes = 0;
  std::uint64_t sendQueueBytes = 0;
  std::uint64_t bytesRead = 0;
  std::uint64_t bytesWritten = 0;
  std::string localAddress;
  std::string remoteAddress;
};

/// Why and how a child is told to end.
struct StopOrder {
  enum class Reason { Stop, Reload };
  Reason reason = Reason::Stop;
  /// Graceful: let the clients finish, at most until `timeout` from now (zero: no deadline).
  /// Not graceful: say goodbye to the clients, flush, and end.
  bool graceful = false;
  std::chrono::milliseconds timeout{0};
};

/// What a child process knows of itself and what its master tells it. One per child process, made
/// by the process layer after fork, alive until the process ends.
class Child {
 public:
  /// The listening sockets of each slot of this role, each in the order of Role::listen.
  using ListenersOfSlots = std::vector<std::vector<int>>;

  Child(EventLoop& loop, int slot, ListenersOfSlots listeners,
        std::vector<const Counters*> siblings, int stateFile)
      : loop_(loop),
        slot_(slot),
        listeners_(std::move(listeners)),
        siblings_(std::move(siblings)),
        stateFile_(stateFile) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  EventLoop& loop() { return loop_; }
  /// 0 to count-1 within its role; a child that is started again has the same slot.
  [[nodiscard]] int slot() const { return slot_; }
  /// The listening sockets on which this child accepts, one for each Role::listen, in that order.
  /// Owned by the process layer; non-blocking; never closed while the child lives.
  [[nodiscard]] const std::vector<int>& listeners() const { return listenersOf(slot_); }
  /// The same for any slot of this role.
  [[nodiscard]] const std::vector<int>& listenersOf(int slot) const {
    return listeners_.at(static_cast<std::size_t>(slot));
  }

  /// The counters of all other slots of this role, whether a child lives there or not.
  [[nodiscard]] const std::vector<const Counters*>& siblings() const { return siblings_; }

  /// Of Role::stateFile, for reading and writing; -1 if there is none. Owned by the process layer.
  [[nodiscard]] int stateFile() const { return stateFile_; }

  // Set by the child's main; called on its loop.

  /// Stop what must be stopped, then end by loop().stop(). Accepting has to end before this
  /// returns, from siblings' sockets too. Called again if the master wants it sooner: graceful
  /// first, then not. A child that sets none ends at once.
  std::function<void(StopOrder)> onStop;
  /// A sibling's sockets, to be accepted from (true) while it cannot, or no longer (false).
  /// `listeners` is listenersOf(that sibling).
  std::function<void(const std::vector<int>& listeners, bool accept)> onAcceptForSibling;
  std::function<std::vector<ConnectionRow>()> onConnections;

 private:
  EventLoop& loop_;
  const int slot_;
  const ListenersOfSlots listeners_;
  const std::vector<const Counters*> siblings_;
  const int stateFile_;
};

}  // namespace stormo::process
