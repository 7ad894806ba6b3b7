#pragma once

#include <vector>

#include "event/loop_impl.h"
#include "net/connection_table.h"

namespace stormo::net {

/// Encodes output once for many connections: a registry of groups. Neither function may call a
/// handler.
class GroupOutput {
 public:
  /// Passes the batches of this turn to ConnectionTable::fanOut(), each for all its members.
  virtual void fanOut() = 0;
  /// The members have got their batches: clears them.
  virtual void clearBatches() = 0;

 protected:
  ~GroupOutput() = default;
};

/// Acts when the output of a turn was flushed and it is known what the kernel has not taken.
class FlushObserver {
 public:
  virtual void onFlushed() = 0;

 protected:
  ~FlushObserver() = default;
};

/// What one loop does for its connections in each turn, in the order that is written in
/// onTurnEnd(). Owned by the loop; made at the first of().
class Reactor final : public TurnWork {
 public:
  static Reactor& of(EventLoop& loop);

  explicit Reactor(EventLoop& loop) : connections(loop), loop_(LoopImpl::of(loop)) {}

  ConnectionTable connections;

  /// The order among several does not matter: they share no batch, and members of groups of two
  /// get their output sorted. Each must be removed before it is destroyed.
  void add(GroupOutput& groups) { groups_.push_back(&groups); }
  void remove(GroupOutput& groups) { std::erase(groups_, &groups); }
  /// Called in the order in which they were added. onFlushed() may remove observers that were added
  /// after it.
  void add(FlushObserver& observer) { observers_.push_back(&observer); }
  void remove(FlushObserver& observer) { std::erase(observers_, &observer); }

 private:
  void onDispatched() override;
  void onTurnEnd() override;
  void flushLinks();
  void flushGroups();

  LoopImpl& loop_;
  std::vector<GroupOutput*> groups_;
  std::vector<FlushObserver*> observers_;
};

}  // namespace stormo::net
