#include "net/limits/output_memory.h"

#include <algorithm>
#include <functional>

#include "base/shared_buffer.h"
#include "sys/log.h"

namespace stormo::net {
namespace {

constexpr std::chrono::milliseconds kRest{100};
constexpr std::chrono::seconds kDryRunRest{1};
constexpr std::string_view kReason = "the server has too much output for slow clients";

}  // namespace

OutputMemory::OutputMemory(Reactor& reactor, const Endpoint& endpoint, const Limit& limit)
    : reactor_(reactor),
      endpoint_(endpoint),
      limit_(limit),
      closesAbove_(limit.max - limit.max / 8),
      goal_(limit.max - limit.max / 4) {
  reactor_.add(*this);
}

OutputMemory::~OutputMemory() { reactor_.remove(*this); }

void OutputMemory::onFlushed() {
  const std::size_t held = SharedBuffer::heldBytes();
  if (held <= closesAbove_) return;
  const TimePoint now = reactor_.loop().now;
  if (held > limit_.max && !limit_.dryRun && now >= nextDropping_) {
    dropLongest();
  } else if (now >= nextClosing_) {
    closeLongest();
  }
}

std::vector<OutputMemory::Waiting> OutputMemory::waiting() const {
  std::vector<Waiting> all;
  reactor_.connections.forEach([&](ConnectionImpl& each) {
    const std::uint64_t bytes = each.queuedBytes();
    const bool isOfThese = each.endpoint == &endpoint_ || each.endpoint == endpoint_.other;
    const bool isCounted = isOfThese && each.phase != Phase::Dead;
    if (isCounted && bytes > 0) all.push_back({bytes, &each});
  });
  std::ranges::sort(all, std::greater(), &Waiting::bytes);
  return all;
}

void OutputMemory::closeLongest() {
  const std::vector<Waiting> all = waiting();
  std::size_t left = SharedBuffer::heldBytes();
  const auto leaves = [&left](std::uint64_t bytes) { left -= std::min<std::size_t>(left, bytes); };
  for (const Waiting& each : all) {
    if (!each.connection->isUsable()) leaves(each.bytes);
  }
  for (const Waiting& each : all) {
    if (left <= goal_) break;
    if (!each.connection->isUsable()) continue;
    leaves(each.bytes);
    note(*each.connection);
    if (limit_.dryRun) continue;
    reactor_.connections.closeWithoutAnswer(*each.connection, CloseCode::TryAgainLater, kReason);
  }
  const std::chrono::milliseconds rest = limit_.dryRun ? kDryRunRest : kRest;
  nextClosing_ = reactor_.loop().now + rest;
}

/// A block that several queues share is free when the last of them is.
void OutputMemory::dropLongest() {
  for (const Waiting& each : waiting()) {
    if (SharedBuffer::heldBytes() <= goal_) return;
    ConnectionImpl& connection = *each.connection;
    if (connection.isUsable()) note(connection);
    reactor_.sender.discardQueue(connection);
    reactor_.connections.destroy(connection);
  }
  if (SharedBuffer::heldBytes() > goal_) nextDropping_ = reactor_.loop().now + kRest;
}

void OutputMemory::note(const ConnectionImpl& connection) {
  reactor_.counters().limits.outputBytes.add(limit_.dryRun);
  if (limit_.dryRun) return;
  const auto count = logLimit_.take(reactor_.loop().now);
  if (count == 0) return;
  log::warning("clients are closed limit=output-bytes max={} closed={} last_remote={}", limit_.max,
               count, connection.remoteAddress());
}

}  // namespace stormo::net
