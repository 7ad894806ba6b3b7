#include "net/reactor.h"

namespace stormo::net {

Reactor& Reactor::of(EventLoop& loop) {
  LoopImpl& impl = LoopImpl::of(loop);
  if (impl.turnWork() == nullptr) impl.install(std::make_unique<Reactor>(loop));
  return static_cast<Reactor&>(*impl.turnWork());
}

Reactor::Reactor(EventLoop& loop)
    : keepalive(*this, LoopImpl::of(loop).readClock()),
      loop_(LoopImpl::of(loop)),
      tag_(loop_.addSink(*this)) {}

Reactor::~Reactor() {
  connections.dieWithoutHandlers();
  loop_.removeSink(tag_);
}

Result<void> Reactor::watch(ConnectionImpl& connection, std::uint32_t events) {
  return loop_.add(connection.fd.get(), events, tag_, connection.id);
}

Result<void> Reactor::rewatch(ConnectionImpl& connection, std::uint32_t events) {
  return loop_.modify(connection.fd.get(), events, tag_, connection.id);
}

void Reactor::onReady(Handle id, std::uint32_t events) {
  ConnectionImpl* connection = connections.at(id);
  if (connection == nullptr || connection->phase == Phase::Dead) return;
  if (connection->phase == Phase::Connecting) return connections.finishConnect(*connection);
  const bool hangsUp = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (hangsUp) connection->in.hungUp = true;
  if ((events & EPOLLIN) != 0 || connection->in.hungUp) input.readFresh(*connection);
  if ((events & EPOLLOUT) != 0 && connection->phase != Phase::Dead) sender.onWritable(*connection);
}

void Reactor::onDispatched() { input.readBacklog(); }

/// The order of a turn, after everything that arrived was read and handled.
void Reactor::onTurnEnd() {
  flushLinks();
  // By index: see add().
  for (std::size_t i = 0; i < observers_.size(); ++i) observers_[i]->onFlush();
  flushGroups();
  output.flushConnections();
  sender.serveRotation();
  for (std::size_t i = 0; i < observers_.size(); ++i) observers_[i]->onFlushed();
  sender.closeFailed();
  connections.freeClosed();
  input.requestBacklogTurn();
  spareMemory.watch();
}

/// What arrives while links are flushed is read before the fan-out, the costly part of a turn, and
/// so leaves with it. A Channel on this machine has often answered by then. Under load this keeps
/// the batches whole: without it, the messages in flight fall apart into two halves that follow
/// each other, each in sends of its own.
void Reactor::flushLinks() {
  if (!output.flushLinks()) return;
  loop_.dispatchArrived();
  output.flushLinks();
}

/// A member of one group is sent its batch in fanOut(). Members of several groups, of different
/// registries too, are sent theirs in flushGathered(), so no batch is cleared before that.
void Reactor::flushGroups() {
  for (GroupOutput* groups : groups_) groups->fanOut();
  output.flushGathered();
  for (GroupOutput* groups : groups_) groups->clearBatches();
}

}  // namespace stormo::net
