#include "net/connection_deadlines.h"

#include "net/reactor.h"

namespace stormo::net {

void ConnectionDeadlines::set(const ConnectionImpl& connection, TimePoint deadline) {
  wheel_.set(connection.id.index, deadline, reactor_.loop().now);
  if (!armedFor_ || deadline < *armedFor_) arm();
}

void ConnectionDeadlines::clear(const ConnectionImpl& connection) {
  wheel_.clear(connection.id.index);
}

bool ConnectionDeadlines::isSet(const ConnectionImpl& connection) const {
  return wheel_.isSet(connection.id.index);
}

void ConnectionDeadlines::arm() {
  const auto next = wheel_.next();
  if (next == armedFor_) return;
  LoopImpl& loop = reactor_.loop();
  if (armedFor_) loop.timers.cancel(timer_);
  armedFor_ = next;
  if (next) timer_ = loop.timers.add(*next, Clock::duration::zero(), [this] { onTimer(); });
}

void ConnectionDeadlines::onTimer() {
  armedFor_.reset();
  wheel_.expire(reactor_.loop().now, [this](std::uint32_t index) {
    if (ConnectionImpl* connection = reactor_.connections.at(index)) due_(*connection);
  });
  arm();
}

}  // namespace stormo::net
