#include "channel/simulated_visitor.h"

#include <gtest/gtest.h>

namespace stormo::channel {

void SimulatedVisitor::join(Bus& bus) {
  bus_ = &bus;
  stay_ = std::make_shared<int>();
  bus.requestHistory(group_, position_,
                     [this, stay = std::weak_ptr(stay_)](const HistoryReply& reply) {
                       if (!stay.expired()) onHistoryReply(reply);
                     });
  for (Send& send : unacknowledged_) transmit(send);
}

void SimulatedVisitor::leave() {
  forgetAcknowledged();
  for (Send& send : unacknowledged_) send.isInDoubt = true;
  bus_ = nullptr;
  stay_.reset();
  isMember_ = false;
}

bool SimulatedVisitor::isInDoubt() {
  if (isHere()) forgetAcknowledged();
  return !unacknowledged_.empty() && unacknowledged_.front().isInDoubt;
}

void SimulatedVisitor::publish(std::string text) {
  forgetAcknowledged();
  unacknowledged_.push_back({.sequence = ++sequence_, .text = std::move(text), .number = 0});
  transmit(unacknowledged_.back());
}

void SimulatedVisitor::transmit(Send& send) {
  const auto status = bus_->publishToGroup(group_, send.text, {session_, send.sequence});
  ASSERT_EQ(status, PublishStatus::Accepted);
  send.number = bus_->accepted();
}

void SimulatedVisitor::forgetAcknowledged() {
  while (!unacknowledged_.empty() && unacknowledged_.front().number <= bus_->acknowledged())
    unacknowledged_.pop_front();
}

void SimulatedVisitor::onHistoryReply(const HistoryReply& reply) {
  if (position_.epoch != 0 && !reply.isWhole) onGap();
  for (const GroupMessage& missed : reply.messages) onMessage(missed.message.data);
  position_ = reply.position;
  isMember_ = true;
}

void SimulatedVisitor::onEvent(const GroupMessage& message) {
  if (!isMember_ || message.group != group_) return;
  position_ = {bus_->position().epoch, message.offset};
  onMessage(message.message.data);
}

void SimulatedVisitor::onConnect() {
  const bool isOtherServer = bus_->position().epoch != position_.epoch;
  if (isMember_ && isOtherServer) position_ = bus_->position();
}

void SimulatedVisitor::onRepeat(std::string_view group) {
  if (isMember_ && group == group_) position_ = bus_->position();
}

}  // namespace stormo::channel
