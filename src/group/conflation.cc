#include "group/conflation.h"

#include <algorithm>
#include <vector>

#include "group/registry.h"
#include "group/slow_rules.h"
#include "net/codec/codec.h"

namespace stormo::group {
namespace {

// A longer message is freed when it was sent.
constexpr std::size_t kKeptBytesMax = 4096;

}  // namespace

bool Conflation::mayPass(TimePoint now, std::chrono::milliseconds every) {
  every_ = every;
  if (isWaiting_ || now < dueAt_) return false;
  dueAt_ = now + every_;
  return true;
}

std::uint64_t Conflation::keep(Message message, std::uint64_t receivers,
                               std::span<net::ConnectionImpl* const> except) {
  const std::uint64_t missing = isWaiting_ ? receivers_ : 0;
  if (isWaiting_) ++replaced_;
  isWaiting_ = true;
  message_ = message.data;
  type_ = message.type;
  receivers_ = receivers;
  except_.clear();
  for (const net::ConnectionImpl* each : except) except_.push_back(each->id);
  return missing;
}

void Conflation::send(Group& group, TimePoint now) {
  if (!isWaiting_ || now < dueAt_) return;
  isWaiting_ = false;
  dueAt_ = now + every_;
  Registry& registry = group.registry;
  const net::Codec& codec = *group.members.front().connection->endpoint->codec;
  const auto encode = [&](std::uint64_t replaced, net::Variant variant, net::Batch& batch,
                          net::OutputOrder& order) {
    const std::string notice =
        replaced > 0 && group.slow->hasNotice() ? group.slow->notice(replaced) : std::string();
    if (!notice.empty()) codec.encode(Message(notice), variant, batch, order);
    codec.encode(Message(message_, type_), variant, batch, order);
  };

  struct LeftOut {
    net::ConnectionImpl* member;
    net::Batch* batch;
    std::size_t begin;
  };
  std::vector<LeftOut> leftOut;
  const auto leaveOut = [&](Handle id) -> net::ConnectionImpl* {
    net::ConnectionImpl* const member = registry.findConnection(id);
    net::Batch* const batch = member == nullptr ? nullptr : Registry::batchOfMember(group, *member);
    if (batch == nullptr) return nullptr;
    leftOut.push_back({member, batch, batch->size()});
    return member;
  };
  for (const auto& [id, before] : joined_) {
    if (std::ranges::find(except_, Handle::unpack(id)) != except_.end()) continue;
    net::ConnectionImpl* const member = leaveOut(Handle::unpack(id));
    // It gets one of its own, with the number that it has missed itself.
    if (member == nullptr || before > replaced_) continue;
    if (net::Batch* own = registry.output().ownBatchOfMember(*member)) {
      encode(replaced_ - before, member->out.variant, *own, registry.output().order());
    }
  }
  for (const Handle id : except_) leaveOut(id);

  const auto write = [&](net::Variant variant, net::Batch& batch, net::OutputOrder& order) {
    encode(replaced_, variant, batch, order);
  };
  registry.append(group, message_.size(), write, nullptr, replaced_ + 1);
  for (const LeftOut& each : leftOut) Registry::exclude(*each.batch, *each.member, each.begin);
  joined_.clear();
  replaced_ = 0;
  message_.clear();
  if (message_.capacity() > kKeptBytesMax) message_.shrink_to_fit();
}

ConflationTimer::~ConflationTimer() {
  if (timer_ != 0 && !lifetime_.expired()) Timer::cancel(timer_);
}

void ConflationTimer::await(std::string_view name, TimePoint dueAt) {
  if (lifetime_.expired()) {
    lifetime_ = LoopImpl::current().lifetime();
    timer_ = 0;
    due_.clear();
  }
  due_.emplace(dueAt, name);
  arm();
}

void ConflationTimer::arm() {
  if (due_.empty()) return;
  const TimePoint first = due_.begin()->first;
  if (timer_ != 0 && firesAt_ <= first) return;
  if (timer_ != 0) Timer::cancel(timer_);
  firesAt_ = first;
  const auto delay = std::max(first - LoopImpl::current().now, Clock::duration::zero());
  timer_ = Timer::once(delay, [this] { fire(); });
}

void ConflationTimer::fire() {
  timer_ = 0;
  const TimePoint now = LoopImpl::current().now;
  while (!due_.empty() && due_.begin()->first <= now) {
    const std::string name = due_.begin()->second;
    due_.erase(due_.begin());
    onDue_(name);
  }
  arm();
}

}  // namespace stormo::group
