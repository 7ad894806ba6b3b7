#include "channel/simulated_member.h"

#include <gtest/gtest.h>

namespace stormo::channel {

void SimulatedMember::join(ClientLink& link) {
  link_ = &link;
  joinToken_ = std::make_shared<int>();
  link.dialect().requestHistory(
      group_, position_, [this, joinToken = std::weak_ptr(joinToken_)](const HistoryReply& reply) {
        if (!joinToken.expired()) onHistoryReply(reply);
      });
  for (Send& send : unacknowledged_) transmit(send);
}

void SimulatedMember::leave() {
  forgetAcknowledged();
  link_ = nullptr;
  joinToken_.reset();
  isMember_ = false;
}

void SimulatedMember::publish(std::string text) {
  forgetAcknowledged();
  unacknowledged_.push_back({.sequence = ++sequence_, .text = std::move(text), .number = 0});
  transmit(unacknowledged_.back());
}

void SimulatedMember::transmit(Send& send) {
  const auto status = link_->dialect().publishToGroup(group_, send.text, {session_, send.sequence});
  ASSERT_EQ(status, PublishStatus::Accepted);
  send.number = link_->dialect().accepted();
}

void SimulatedMember::forgetAcknowledged() {
  while (!unacknowledged_.empty() &&
         unacknowledged_.front().number <= link_->dialect().acknowledged())
    unacknowledged_.pop_front();
}

void SimulatedMember::onHistoryReply(const HistoryReply& reply) {
  if (position_.epoch != 0 && !reply.isWhole) onGap();
  for (const GroupMessage& missed : reply.messages) {
    onMessage(reply.position.epoch, missed.message.data);
  }
  position_ = reply.position;
  isMember_ = true;
}

void SimulatedMember::onEvent(const GroupMessage& message) {
  if (!isMember_ || message.group != group_) return;
  position_ = {link_->dialect().position().epoch, message.offset};
  onMessage(position_.epoch, message.message.data);
}

}  // namespace stormo::channel
