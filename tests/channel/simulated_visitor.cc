#include "channel/simulated_visitor.h"

#include <gtest/gtest.h>

namespace stormo::channel {

void SimulatedVisitor::come(Bus& bus) {
  bus_ = &bus;
  stay_ = std::make_shared<int>();
  bus.requestHistory(group_, position_,
                     [this, stay = std::weak_ptr(stay_)](const HistoryReply& reply) {
                       if (!stay.expired()) onHistoryReply(reply);
                     });
  for (Said& said : said_) say(said);
}

void SimulatedVisitor::leave() {
  forgetAcknowledged();
  for (Said& said : said_) said.isInDoubt = true;
  bus_ = nullptr;
  stay_.reset();
  isMember_ = false;
}

bool SimulatedVisitor::isInDoubt() {
  if (isHere()) forgetAcknowledged();
  return !said_.empty() && said_.front().isInDoubt;
}

void SimulatedVisitor::publish(std::string text) {
  forgetAcknowledged();
  said_.push_back({.sequence = ++sequence_, .text = std::move(text), .number = 0});
  say(said_.back());
}

void SimulatedVisitor::say(Said& said) {
  const auto status = bus_->publishToGroup(group_, said.text, {session_, said.sequence});
  ASSERT_EQ(status, PublishStatus::Accepted);
  said.number = bus_->accepted();
}

void SimulatedVisitor::forgetAcknowledged() {
  while (!said_.empty() && said_.front().number <= bus_->acknowledged()) said_.pop_front();
}

void SimulatedVisitor::onHistoryReply(const HistoryReply& reply) {
  if (position_.epoch != 0 && !reply.isWhole) onGap();
  for (const GroupMessage& missed : reply.messages) onHeard(missed.message.data);
  position_ = reply.position;
  isMember_ = true;
}

void SimulatedVisitor::onMessage(const GroupMessage& said) {
  if (!isMember_ || said.group != group_) return;
  position_ = {bus_->position().epoch, said.offset};
  onHeard(said.message.data);
}

void SimulatedVisitor::onConnect() {
  const bool isOtherServer = bus_->position().epoch != position_.epoch;
  if (isMember_ && isOtherServer) position_ = bus_->position();
}

void SimulatedVisitor::onRepeat(std::string_view group) {
  if (isMember_ && group == group_) position_ = bus_->position();
}

}  // namespace stormo::channel
