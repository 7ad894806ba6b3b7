#include "channel/server/back_pressure.h"

#include <algorithm>

#include "sys/log.h"

namespace stormo::channel {
namespace {

constexpr int kTicksPerStall = 4;

}  // namespace

BackPressure::~BackPressure() {
  for (const FullLink& full : full_) Timer::cancel(full.timer);
}

bool BackPressure::isFull(const net::ConnectionImpl& link) const {
  return std::ranges::find(full_, link.id.packed(), &FullLink::id) != full_.end();
}

bool BackPressure::isFarOver() const {
  return std::ranges::any_of(full_, [this](const FullLink& full) {
    const net::ConnectionImpl* link = table_.find(full.id);
    return link != nullptr && link->queuedBytes() > 2 * endpoint_.sendQueueBytesMax;
  });
}

void BackPressure::pauseIfNeeded(net::ConnectionImpl& link) {
  if (!isFull(link) || isFarOver()) link.pauseRecv();
}

void BackPressure::onFull(net::ConnectionImpl& link) {
  if (isFull(link)) return;
  log::debug("a link is full, producers wait remote={} bytes={}", link.remoteAddress(),
             link.queuedBytes());
  full_.push_back(
      {.id = link.id.packed(), .bytesWritten = link.bytesWritten(), .timer = 0, .ticks = 0});
  full_.back().timer =
      Timer::add(stallMax_ / kTicksPerStall, [this, id = full_.back().id] { onTick(id); });
  table_.forEach([this](net::ConnectionImpl& other) {
    if (other.endpoint == &endpoint_) pauseIfNeeded(other);
  });
}

void BackPressure::onDrain(net::ConnectionImpl& link) { remove(link); }
void BackPressure::onClose(net::ConnectionImpl& link) { remove(link); }

void BackPressure::remove(net::ConnectionImpl& link) {
  const auto removed = std::ranges::find(full_, link.id.packed(), &FullLink::id);
  if (removed == full_.end()) return;
  Timer::cancel(removed->timer);
  full_.erase(removed);
  table_.forEach([this](net::ConnectionImpl& other) {
    if (other.endpoint != &endpoint_) return;
    if (full_.empty() || (isFull(other) && !isFarOver())) {
      other.resumeRecv();
    } else {
      pauseIfNeeded(other);
    }
  });
}

void BackPressure::onTick(ConnectionId id) {
  const auto full = std::ranges::find(full_, id, &FullLink::id);
  net::ConnectionImpl* link = table_.find(id);
  if (full == full_.end() || link == nullptr || ++full->ticks < kTicksPerStall) return;
  full->ticks = 0;
  const bool isStuck = link->bytesWritten() == full->bytesWritten;
  if (link->queuedBytes() >= endpoint_.sendQueueBytesMax || isStuck) {
    log::warning("a link stayed full and is closed remote={} bytes={}", link->remoteAddress(),
                 link->queuedBytes());
    table_.counters().slowClosed.add();
    link->destroy();
    return;
  }
  full->bytesWritten = link->bytesWritten();
}

}  // namespace stormo::channel
