#include "channel/server/consumers.h"

#include <utility>

#include "protocol/package/frame.h"

namespace stormo::channel {

Consumers::Consumers(Journal& journal, const ChannelState& state, NodeId node,
                     std::chrono::milliseconds absentMax)
    : journal_(journal), state_(state), node_(node), absentMax_(absentMax), dispatcher_(*this) {
  state_.jobs().forEach([this](std::uint64_t number, const JobStore::Job& job) {
    if (job.consumer == 0) return dispatcher_.add(number, job.queue);
    if (job.node == node_) consumers_[job.consumer].leases.insert(job.lease);
  });
  for (auto& [id, consumer] : consumers_) awaitReturn(id, consumer);
}

Consumers::~Consumers() {
  for (const auto& [id, consumer] : consumers_) {
    if (consumer.absence != 0) Timer::cancel(consumer.absence);
  }
}

void Consumers::arrive(ConsumerId id) {
  dispatcher_.remove(id);
  Consumer& consumer = consumers_[id];
  consumer.isHere = true;
  consumer.hasWatched = false;
  consumer.owed = 0;
  if (consumer.absence != 0) Timer::cancel(std::exchange(consumer.absence, 0));
}

void Consumers::watch(ConsumerId id, std::string_view queue) {
  dispatcher_.watch(id, queue);
  Consumer& consumer = consumers_[id];
  consumer.hasWatched = true;
  for (std::size_t left = std::exchange(consumer.owed, 0); left > 0; --left) reserve(id);
}

void Consumers::leave(ConsumerId id, bool comesBack) {
  dispatcher_.remove(id);
  Consumer& consumer = consumers_[id];
  consumer.isHere = false;
  if (comesBack && (!consumer.leases.empty() || consumer.handing > 0)) {
    awaitReturn(id, consumer);
  } else {
    giveBackAll(id);
  }
}

void Consumers::awaitReturn(ConsumerId id, Consumer& consumer) {
  consumer.absence = Timer::once(absentMax_, [this, id] {
    consumers_[id].absence = 0;
    giveBackAll(id);
  });
}

void Consumers::giveBackAll(ConsumerId id) {
  for (const std::uint64_t lease : consumers_[id].leases) record(id, Kind::Return, lease);
  forgetIfIdle(id);
}

void Consumers::forgetIfIdle(ConsumerId id) {
  const Consumer& consumer = consumers_[id];
  const bool isIdle = consumer.leases.empty() && consumer.handing == 0;
  if (isIdle && !consumer.isHere && consumer.absence == 0) consumers_.erase(id);
}

std::size_t Consumers::jobCountOf(ConsumerId id) const {
  const auto found = consumers_.find(id);
  if (found == consumers_.end()) return 0;
  return found->second.leases.size() + found->second.handing;
}

void Consumers::deliverAgain(ConsumerId id) {
  for (const std::uint64_t lease : consumers_[id].leases) deliver(*state_.jobs().held(lease));
}

void Consumers::finishOldest(ConsumerId id) {
  const auto found = consumers_.find(id);
  if (found == consumers_.end() || found->second.leases.empty()) return;
  // Not before the record is applied, but a second call must not mean the same job.
  const std::uint64_t oldest = found->second.leases.extract(found->second.leases.begin()).value();
  record(id, Kind::Finish, oldest);
}

void Consumers::onJobHanded(std::uint64_t number, const JobStore::Job& job) {
  if (node_ != 0) dispatcher_.taken(number, job.queue);
  if (job.node != node_) return;
  Consumer& consumer = consumers_[job.consumer];
  if (consumer.handing > 0) --consumer.handing;
  consumer.leases.insert(job.lease);
  if (consumer.isHere) return deliver(job);
  // It has left meanwhile, and does not come back.
  if (consumer.absence == 0) record(job.consumer, Kind::Return, job.lease);
}

void Consumers::onJobMissed(ConsumerId id) {
  const auto found = consumers_.find(id);
  if (found == consumers_.end()) return;
  Consumer& consumer = found->second;
  if (consumer.handing > 0) --consumer.handing;
  if (!consumer.isHere) return forgetIfIdle(id);
  // Its Welcome may have counted the job, and it reserves more only when it has got that many.
  if (!dispatcher_.reserveFirst(id) && !consumer.hasWatched) ++consumer.owed;
}

void Consumers::onJobLeft(std::uint64_t lease, ConsumerId id) {
  const auto found = consumers_.find(id);
  if (found == consumers_.end()) return;
  found->second.leases.erase(lease);
  forgetIfIdle(id);
}

void Consumers::hand(ConsumerId consumer, std::uint64_t number, std::string_view queue) {
  ++consumers_[consumer].handing;
  record(consumer, Kind::Job, number, queue);
}

void Consumers::record(ConsumerId consumer, Kind kind, std::uint64_t number,
                       std::string_view queue) {
  scratch_.clear();
  encode({.kind = kind, .job = number, .channel = queue}, scratch_);
  journal_.add(consumer, framePayload(scratch_));
}

}  // namespace stormo::channel
