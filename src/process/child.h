#pragma once

#include <stormo/event_loop.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/counters.h"
#include "sys/unique_fd.h"

namespace stormo::process {

/// A row of the `connections` command.
struct ConnectionRow {
  std::uint64_t id = 0;
  std::string transport;  ///< "tcp", "unix"
  std::string protocol;   ///< "websocket", "frame", "text", "tcp", or the name of a custom protocol
  /// "CONNECTING", "HANDSHAKE", "ESTABLISHED", "PAUSED", "CLOSING", "CLOSED"
  std::string state;
  std::uint64_t receiveQueueBytes = 0;
  std::uint64_t sendQueueBytes = 0;
  std::uint64_t bytesRead = 0;
  std::uint64_t bytesWritten = 0;
  std::string localAddress;
  std::string remoteAddress;
};

/// A row of the `nodes` command.
struct NodeRow {
  std::string node;   ///< Its name.
  std::string id;     ///< 16 hex digits.
  std::string state;  ///< "this node", "here", "gone"
  std::chrono::milliseconds silence{0};
  std::string blocked = {};  ///< Of this node: why it can take no messages. Empty: it can.
};

/// Why and how a child must stop.
struct StopOrder {
  enum class Reason { Stop, Reload };
  Reason reason = Reason::Stop;
  /// Graceful: let the clients finish, at most for `timeout` from now (zero: no limit).
  /// Not graceful: close all clients, flush, and end.
  bool graceful = false;
  std::chrono::milliseconds timeout{0};
  /// Graceful: close the clients, evenly over this time. Zero: wait for them.
  std::chrono::milliseconds over{0};
};

/// A child process's own data and the orders of its master. There is one per child process. The
/// process layer creates it after the fork; it lives until the process ends.
class Child {
 public:
  /// The listening sockets of each slot of this role, each in the order of Role::listen.
  using ListenersOfSlots = std::vector<std::vector<int>>;

  Child(EventLoop& loop, int slot, int part, ListenersOfSlots listeners,
        std::vector<const Counters*> siblings, int stateDirectory)
      : loop_(loop),
        slot_(slot),
        part_(part),
        listeners_(std::move(listeners)),
        siblings_(std::move(siblings)),
        stateDirectory_(stateDirectory) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  EventLoop& loop() { return loop_; }
  /// 0 to count-1 within its role. A restarted child has the same slot.
  [[nodiscard]] int slot() const { return slot_; }
  /// Its part of what the children of the role share in memory: a number below twice the role's
  /// count. The children that a reload replaces and their successors have different ones.
  [[nodiscard]] int part() const { return part_; }
  /// The listening sockets on which this child accepts, one for each Role::listen, in that order.
  /// Owned by the process layer; non-blocking; never closed while the child lives.
  [[nodiscard]] const std::vector<int>& listeners() const { return listenersOf(slot_); }
  /// The same for any slot of this role.
  [[nodiscard]] const std::vector<int>& listenersOf(int slot) const {
    return listeners_.at(static_cast<std::size_t>(slot));
  }

  [[nodiscard]] std::size_t slotCount() const { return listeners_.size(); }

  /// The counters of all other processes of this role that there may be: of the other slots, and of
  /// those that a reload replaces.
  [[nodiscard]] const std::vector<const Counters*>& siblings() const { return siblings_; }

  /// Descriptor of Role::stateDirectory. -1: none. Owned by the process layer.
  [[nodiscard]] int stateDirectory() const { return stateDirectory_; }

  // Set by the child's main; called on its loop.

  /// Stops the child's work, then the loop with loop().stop(). When it returns, the child must no
  /// longer accept, from its own sockets and its siblings', unless it has set stillAccepts. Called
  /// again for an earlier end: first graceful, then not. Without a callback the child ends at once.
  std::function<void(StopOrder)> onStop;
  /// Set in onStop: until its end the child accepts, only to answer that it takes no clients.
  bool stillAccepts = false;
  /// Accept from a sibling's sockets while it cannot (true), or no longer (false). `listeners` is
  /// listenersOf(that sibling).
  std::function<void(const std::vector<int>& listeners, bool accept)> onAcceptForSibling;
  std::function<std::vector<ConnectionRow>()> onConnections;
  /// If Role::isInCluster is true.
  std::function<std::vector<NodeRow>()> onNodes;
  /// The credentials of its role have changed; the file is that of Credentials::share().
  std::function<void(const UniqueFd& file)> onCredentials;

 private:
  EventLoop& loop_;
  const int slot_;
  const int part_;
  const ListenersOfSlots listeners_;
  const std::vector<const Counters*> siblings_;
  const int stateDirectory_;
};

}  // namespace stormo::process
