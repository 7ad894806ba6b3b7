#include "net/reactor.h"

namespace stormo::net {

Reactor& Reactor::of(EventLoop& loop) {
  LoopImpl& impl = LoopImpl::of(loop);
  if (impl.turnWork() == nullptr) impl.install(std::make_unique<Reactor>(loop));
  return static_cast<Reactor&>(*impl.turnWork());
}

void Reactor::onDispatched() { connections.readBacklog(); }

/// The order of a turn, after everything that arrived was read and handled.
void Reactor::onTurnEnd() {
  flushLinks();
  flushGroups();
  connections.flushConnections();
  // By index: see add().
  for (std::size_t i = 0; i < observers_.size(); ++i) observers_[i]->onFlushed();
  connections.freeClosed();
  connections.requestBacklogTurn();
  connections.watchSpares();
}

/// What arrives while links are flushed is read before the fan-out, the costly part of a turn, and
/// so leaves with it. A Channel on this machine has often answered by then. Under load this keeps
/// the batches whole: without it, the messages in flight fall apart into two halves that follow
/// each other, each in sends of its own.
void Reactor::flushLinks() {
  if (!connections.flushLinks()) return;
  loop_.dispatchArrived();
  connections.flushLinks();
}

/// A member of one group is sent its batch in fanOut(). Members of several groups, of different
/// registries too, are sent theirs in flushGathered(), so no batch is cleared before that.
void Reactor::flushGroups() {
  for (GroupOutput* groups : groups_) groups->fanOut();
  connections.flushGathered();
  for (GroupOutput* groups : groups_) groups->clearBatches();
}

}  // namespace stormo::net
