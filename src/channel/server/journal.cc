#include "channel/server/journal.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "channel/log/record.h"
#include "protocol/channel/packet.h"

namespace stormo::channel {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

/// Above this, publishers wait for the log.
constexpr std::size_t kWaitingBytesMax = 16 << 20;
/// For links that are paused: less than the silence after which a client replaces its link.
constexpr milliseconds kKeepaliveInterval{1000};

std::uint64_t wallClockAtZeroOf(TimePoint now) {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(duration_cast<milliseconds>(wall).count() -
                                    duration_cast<milliseconds>(now.time_since_epoch()).count());
}

}  // namespace

Journal::Journal(net::Reactor& reactor, Log& log, const ChannelState& state)
    : reactor_(reactor),
      log_(log),
      wallClockAtZero_(wallClockAtZeroOf(reactor.loop().now)),
      latestTime_(state.time()),
      added_(log.appliedCount()),
      appended_(added_),
      acknowledged_(added_) {}

Journal::~Journal() {
  if (keepalive_ != 0) Timer::cancel(keepalive_);
}

std::uint64_t Journal::now() {
  if (std::exchange(turn_, reactor_.loop().now) == reactor_.loop().now) return latestTime_;
  const auto sinceZero = duration_cast<milliseconds>(turn_.time_since_epoch());
  const std::uint64_t wall = wallClockAtZero_ + static_cast<std::uint64_t>(sinceZero.count());
  latestTime_ = std::max(latestTime_, wall);
  return latestTime_;
}

void Journal::add(std::uint64_t producerId, std::string_view packet) {
  appendRecord({.time = now(), .producerId = producerId, .packet = packet}, records_);
  ++added_;
}

void Journal::addPublish(Acks& acks, net::ConnectionImpl& connection, std::uint64_t producerId,
                         std::uint64_t sequence, std::string_view packet) {
  add(producerId, packet);
  if (sequence > acks.published_) {
    acks.published_ = sequence;
    if (acks.pending_.empty()) {
      acks.connection_ = &connection;
      waiting_.push_back(&acks);
    }
    if (acks.pending_.empty() || acks.pending_.back().count <= appended_) {
      acks.pending_.push_back({added_, sequence});
    } else {
      acks.pending_.back() = {added_, sequence};
    }
  }
  if (isFull()) pause(connection, sequence != 0);
}

void Journal::flush() {
  while (!records_.empty()) {  // what is applied may add more: jobs that are handed out
    appending_.swap(records_);
    records_.clear();
    log_.append(appending_, added_ - std::exchange(appended_, added_));
  }
  if (std::exchange(acknowledged_, applied()) != applied()) acknowledge();
  if (!paused_.empty() && !isFull()) resumeAll();
}

void Journal::acknowledge() {
  std::erase_if(waiting_, [this](Acks* acks) {
    const auto isApplied = [this](const Acks::Pending& each) {
      return each.count <= acknowledged_;
    };
    const auto left = std::ranges::find_if_not(acks->pending_, isApplied);
    if (left != acks->pending_.begin() && acks->connection_->isUsable()) {
      scratch_.clear();
      encode({.kind = Kind::Ack, .sequence = std::prev(left)->sequence}, scratch_);
      acks->connection_->append(scratch_);
    }
    acks->pending_.erase(acks->pending_.begin(), left);
    return acks->pending_.empty();
  });
}

bool Journal::updateBlocked() {
  const bool isBlocked = log_.isBlocked();
  return std::exchange(isBlocked_, isBlocked) != isBlocked;
}

void Journal::forget(const net::ConnectionImpl& connection) {
  std::erase_if(waiting_, [&](const Acks* acks) { return acks->connection_ == &connection; });
  std::erase_if(paused_, [&](const Paused& each) { return each.id == connection.id; });
}

bool Journal::isFull() const {
  return log_.isBlocked() || log_.waitingBytes() + records_.size() > kWaitingBytesMax;
}

void Journal::pause(net::ConnectionImpl& connection, bool takesPong) {
  if (std::ranges::find(paused_, connection.id, &Paused::id) != paused_.end()) return;
  connection.pauseRecv();
  paused_.push_back({connection.id, takesPong});
  if (keepalive_ != 0) return;
  keepalive_ = Timer::add(kKeepaliveInterval, [this] {
    for (const Paused& each : paused_) {
      net::ConnectionImpl* const link = reactor_.connections.at(each.id);
      if (!each.takesPong || !link->isUsable()) continue;
      link->append(encode({.kind = Kind::Pong, .blocked = isBlocked_}));
    }
  });
}

void Journal::resumeAll() {
  Timer::cancel(std::exchange(keepalive_, 0));
  for (const Paused& each : std::exchange(paused_, {})) {
    reactor_.connections.at(each.id)->resumeRecv();
  }
}

}  // namespace stormo::channel
