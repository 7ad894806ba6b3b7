#include "channel/server/acknowledger.h"

#include <algorithm>

#include "protocol/channel/packet.h"
#include "sys/log.h"

namespace stormo::channel {
namespace {

constexpr int kTicksPerStall = 4;

}  // namespace

Acknowledger::Acknowledger(net::Reactor& reactor, const std::uint64_t& head,
                           std::chrono::milliseconds stallMax)
    : reactor_(reactor), head_(head), stallMax_(stallMax) {
  reactor_.add(*this);
}

Acknowledger::~Acknowledger() {
  reactor_.remove(*this);
  if (timer_ != 0) Timer::cancel(timer_);
}

Acknowledger::Link& Acknowledger::add(net::ConnectionImpl& connection) {
  return *links_.emplace_back(std::make_unique<Link>(connection));
}

void Acknowledger::remove(const net::ConnectionImpl& connection) {
  std::erase_if(links_, [&](const auto& link) { return link->connection == &connection; });
}

void Acknowledger::onFlushed() {
  if (!hasWork_ && head_ == lastHead_) return;
  const std::uint64_t reached = reachedByAll();
  lastHead_ = head_;
  hasWork_ = false;
  for (const auto& link : links_) hasWork_ |= !acknowledge(*link, reached);
  reactor_.output.flushConnections();
}

std::uint64_t Acknowledger::reachedByAll() {
  std::uint64_t reached = head_;
  for (const auto& link : links_) {
    const bool stalls = link->connection->isUsable() && link->connection->queuedBytes() > 0;
    if (stalls && !link->isStalled) {
      link->reached = lastHead_;
      link->bytesWritten = link->connection->bytesWritten();
      link->idleTicks = 0;
      if (timer_ == 0) timer_ = Timer::add(stallMax_ / kTicksPerStall, [this] { cutStuck(); });
    }
    link->isStalled = stalls;
    if (stalls) reached = std::min(reached, link->reached);
  }
  return reached;
}

bool Acknowledger::acknowledge(Link& link, std::uint64_t reached) {
  if (link.published == link.acknowledged) return true;
  auto& heldUp = link.heldUp;
  if (heldUp.empty() || heldUp.back().sequence != link.published) {
    heldUp.push_back({head_, link.published});
  }
  const auto firstLeft = std::ranges::find_if(
      heldUp, [reached](const auto& publish) { return publish.offset > reached; });
  if (firstLeft == heldUp.begin()) return false;
  link.acknowledged = std::prev(firstLeft)->sequence;
  heldUp.erase(heldUp.begin(), firstLeft);
  if (link.connection->isUsable()) {
    scratch_.clear();
    encode({.kind = Kind::Ack, .sequence = link.acknowledged}, scratch_);
    link.connection->append(scratch_);
  }
  return heldUp.empty();
}

void Acknowledger::cutStuck() {
  bool anyStalled = false;
  for (const auto& link : links_) {
    net::ConnectionImpl& connection = *link->connection;
    if (!link->isStalled || !connection.isUsable()) continue;
    anyStalled = true;
    if (connection.bytesWritten() != link->bytesWritten) {
      link->bytesWritten = connection.bytesWritten();
      link->idleTicks = 0;
    } else if (++link->idleTicks > kTicksPerStall) {  // the first tick may follow at once
      log::warning("a link reads nothing and is closed remote={} bytes={}",
                   connection.remoteAddress(), connection.queuedBytes());
      reactor_.counters().slowClosed.add();
      hasWork_ = true;  // the publishes that waited for it
      connection.destroy();
    }
  }
  if (!anyStalled) Timer::cancel(std::exchange(timer_, 0));
}

}  // namespace stormo::channel
