#include "channel/server/slow_links.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "sys/log.h"
#include "sys/sockets.h"

namespace stormo::channel {
namespace {

constexpr int kTicksPerStall = 4;
constexpr std::size_t kWorkMax = 1024;

}  // namespace

SlowLinks::SlowLinks(net::Reactor& reactor, ReplaySource& source, std::size_t queueBytesMax,
                     std::chrono::milliseconds stallMax)
    : reactor_(reactor), source_(source), queueBytesMax_(queueBytesMax), stallMax_(stallMax) {}

SlowLinks::~SlowLinks() {
  if (tick_ != 0) Timer::cancel(tick_);
  if (wake_ != 0) Timer::cancel(wake_);
}

void SlowLinks::add(net::ConnectionImpl& link) { links_.push_back(std::make_unique<Link>(link)); }

void SlowLinks::remove(const net::ConnectionImpl& link) {
  std::erase_if(links_, [&](const auto& each) { return each->connection == &link; });
}

SlowLinks::Link& SlowLinks::of(const net::ConnectionImpl& connection) {
  const auto found = std::ranges::find_if(
      links_, [&](const auto& each) { return each->connection == &connection; });
  STORMO_ASSERT(found != links_.end());
  return **found;
}

void SlowLinks::resume(net::ConnectionImpl& link, std::uint64_t offset) { lag(of(link), offset); }

void SlowLinks::lag(Link& link, std::uint64_t offset) {
  link.connection->out.skipsFanout = true;
  link.offset = offset;
  link.aheadUntil = reactor_.loop().now + kAheadMax;
  link.queuedBytes = link.connection->queuedBytes();
}

bool SlowLinks::whenCaughtUp(net::ConnectionImpl& connection, std::function<void()> work) {
  Link& link = of(connection);
  if (link.work.size() >= kWorkMax) return false;
  if (isLive(connection) && link.work.empty() && hasRoom(link)) {
    work();
  } else {
    link.work.push_back(std::move(work));
  }
  return true;
}

bool SlowLinks::awaits(std::uint64_t offset, TimePoint until) {
  const TimePoint now = reactor_.loop().now;
  if (offset <= source_.head() || now >= until) return false;
  if (wake_ == 0) wake_ = Timer::once(until - now, [this] { wake_ = 0; });
  return true;
}

void SlowLinks::onFlushed() {
  bool hasOutput = false;
  bool hasQueue = false;
  for (const auto& link : links_) {
    const net::ConnectionImpl& connection = *link->connection;
    if (!connection.isUsable()) continue;
    const std::uint64_t queued = connection.queuedBytes();
    if (isLive(connection)) {
      if (queued > queueBytesMax_) lag(*link, source_.head());
    } else if (queued > link->queuedBytes + 2 * queueBytesMax_) {
      cut(*link);  // of other output: it requests without reading
      continue;
    }
    hasOutput |= serve(*link);
    hasQueue |= connection.queuedBytes() > 0;
  }
  if (hasOutput) {
    reactor_.output.flushConnections();
    EventLoop::current().defer([] {});  // for another turn, as the kernel may have taken all of it
  }
  if (hasQueue && tick_ == 0) tick_ = Timer::add(stallMax_ / kTicksPerStall, [this] { onTick(); });
}

bool SlowLinks::serve(Link& link) {
  net::ConnectionImpl& connection = *link.connection;
  if (isLive(connection) && link.work.empty()) return false;
  if (!hasRoom(link)) return false;
  if (!isLive(connection)) {
    if (awaits(link.offset, link.aheadUntil)) return false;
    link.offset = source_.replay(connection, link.offset, queueBytesMax_ / 2);
    if (link.offset < source_.head()) return true;
    connection.out.skipsFanout = false;
  }
  runWork(link);
  return true;
}

void SlowLinks::runWork(Link& link) {
  std::size_t done = 0;
  while (done < link.work.size() && link.connection->out.ownBytes() <= queueBytesMax_ / 2) {
    link.work[done++]();
  }
  link.work.erase(link.work.begin(), link.work.begin() + static_cast<std::ptrdiff_t>(done));
}

SlowLinks::Taken SlowLinks::takenBy(const net::ConnectionImpl& link) {
  return {link.bytesWritten(), kernelOutputBytes(link.fd.get())};
}

void SlowLinks::onTick() {
  bool hasQueue = false;
  for (const auto& link : links_) {
    const net::ConnectionImpl& connection = *link->connection;
    const Taken taken = takenBy(connection);
    const bool hasProgress = std::exchange(link->taken, taken) != taken;
    if (!connection.isUsable() || connection.queuedBytes() == 0 || hasProgress) {
      link->idleTicks = 0;
      hasQueue |= connection.queuedBytes() > 0;
      continue;
    }
    hasQueue = true;
    // The first tick may follow the last progress at once.
    if (++link->idleTicks > kTicksPerStall) cut(*link);
  }
  if (!hasQueue) Timer::cancel(std::exchange(tick_, 0));
}

void SlowLinks::cut(Link& link) {
  log::warning("a link does not read and is closed remote={} bytes={}",
               link.connection->remoteAddress(), link.connection->queuedBytes());
  reactor_.counters().slowClosed.add();
  link.connection->destroy();
}

}  // namespace stormo::channel
