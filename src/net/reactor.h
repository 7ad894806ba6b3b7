#pragma once

#include <memory>
#include <vector>

#include "event/loop_impl.h"
#include "net/connection_table.h"
#include "net/input.h"
#include "net/keepalive.h"
#include "net/output.h"
#include "net/sender.h"
#include "net/spare_memory.h"

namespace stormo::net {

/// Encodes output once for many connections: a registry of groups. Neither function may call a
/// handler.
class GroupOutput {
 public:
  /// Passes the batches of this turn to Output::fanOut(), each for all its members.
  virtual void fanOut() = 0;
  /// The members have got their batches: clears them.
  virtual void clearBatches() = 0;

 protected:
  ~GroupOutput() = default;
};

/// Acts around the flush of a turn's output.
class FlushObserver {
 public:
  /// The turn has handled what it has read: may still add output.
  virtual void onFlush() {}
  /// The output was flushed, and it is known what the kernel has not taken.
  virtual void onFlushed() {}

 protected:
  ~FlushObserver() = default;
};

/// Serves the connections of one loop: owns their table and the four parts that read, write and
/// watch them, and runs these in the order of a turn, which is written in onTurnEnd(). Owned by the
/// loop; made at the first of(). Used on the loop's thread only.
class Reactor final : public TurnWork, EventSink {
 public:
  /// The reactor of that loop.
  static Reactor& of(EventLoop& loop);

  explicit Reactor(EventLoop& loop);
  ~Reactor() override;
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  ConnectionTable connections{*this};
  Input input{*this};
  Output output{*this};
  Sender sender{*this};
  Keepalive keepalive;
  SpareMemory spareMemory{*this};

  /// The order among several does not matter: they share no batch, and members of groups of two
  /// get their output sorted. Each must be removed before it is destroyed.
  void add(GroupOutput& groups) { groups_.push_back(&groups); }
  void remove(GroupOutput& groups) { std::erase(groups_, &groups); }
  /// Called in the order in which they were added. Both functions may remove observers that were
  /// added after it.
  void add(FlushObserver& observer) { observers_.push_back(&observer); }
  void remove(FlushObserver& observer) { std::erase(observers_, &observer); }

  /// Edge-triggered: a connection is added once, and epoll_ctl(2) is called again only around a
  /// full kernel buffer.
  static constexpr std::uint32_t kReadEvents = EPOLLIN | EPOLLRDHUP | EPOLLET;
  /// Errors as LoopImpl::add().
  Result<void> watch(ConnectionImpl& connection, std::uint32_t events);
  Result<void> rewatch(ConnectionImpl& connection, std::uint32_t events);

  LoopImpl& loop() { return loop_; }
  Counters& counters() { return loop_.counters(); }

 private:
  void onReady(Handle id, std::uint32_t events) override;
  void onDispatched() override;
  void onTurnEnd() override;
  void flushLinks();
  void flushGroups();

  LoopImpl& loop_;
  LoopImpl::Tag tag_;
  std::vector<GroupOutput*> groups_;
  std::vector<FlushObserver*> observers_;
};

}  // namespace stormo::net
