#include "channel/client/workerman_dialect.h"

#include <algorithm>
#include <utility>

#include "channel/client/client_link.h"
#include "event/loop_impl.h"
#include "net/reactor.h"
#include "protocol/channel/group_event.h"
#include "protocol/php/serialize.h"

namespace stormo::channel {

void WorkermanDialect::onConnection() { link().becomeUp(); }

std::size_t WorkermanDialect::frameBytesMax() const { return link().options().frameBytesMax; }

bool WorkermanDialect::isGroupEventSubscribed() const {
  return link().isSubscribed(link().options().groupEvent);
}

void WorkermanDialect::write(CommandType type, const Names& names, std::string_view data,
                             std::string& out) {
  names_.assign(names.begin(), names.end());
  encodeWorkermanFrame(type, names_, data, out);
}

void WorkermanDialect::onFrame(std::string_view payload) {
  if (decodeWorkerman(payload, command_) != Decode::Ok) return link().violation(command_.reason);
  switch (command_.type) {
    case CommandType::Event:
      break;
    case CommandType::Queue:
      return link().jobReceived(0, command_.channels.front(), command_.data);
    case CommandType::Ping:
      return;
    case CommandType::Subscribe:
    case CommandType::Unsubscribe:
    case CommandType::Publish:
    case CommandType::PublishLoop:
    case CommandType::Watch:
    case CommandType::Unwatch:
    case CommandType::Enqueue:
    case CommandType::Reserve:
      return link().violation("not a server's word");
  }
  const std::string_view event = command_.channels.front();
  if (event != link().options().groupEvent || groups_.empty())
    return link().eventReceived(event, command_.data);
  const auto message = readGroupEvent(command_.data, scratch_);
  if (message && groups_.find(message->group) != groups_.end()) {
    link().call("onGroupMessage", link().onGroupMessage,
                GroupMessage{.group = message->group, .message = message->message});
  }
  if (isGroupEventSubscribed()) link().eventReceived(event, command_.data);
}

PublishStatus WorkermanDialect::publish(CommandType type, const Names& names, const Value& data) {
  constexpr php::Limits kLimits;  // of the whole command, whose names are elements of an array, too
  if (names.size() > kLimits.elementsMax ||
      !php::isWithin(data, {.elementsMax = kLimits.elementsMax - names.size()})) {
    return PublishStatus::Refused;
  }
  data_.clear();
  php::serialize(data, data_);
  frame_.clear();
  write(type, names, data_, frame_);
  return sendOrKeep(frame_);
}

PublishStatus WorkermanDialect::publish(const Names& events, const Value& data, bool toOne) {
  return publish(toOne ? CommandType::PublishLoop : CommandType::Publish, events, data);
}

PublishStatus WorkermanDialect::enqueue(const Names& queues, const Value& data) {
  return publish(CommandType::Enqueue, queues, data);
}

bool WorkermanDialect::giveBackJob(std::uint64_t, std::string_view queue, const Value& data) {
  if (enqueue({std::string(queue)}, data) != PublishStatus::Accepted) return false;
  finishJob(0);
  return true;
}

void WorkermanDialect::finishJob(std::uint64_t) {
  if (link().takesJobs() || !link().isConnected()) return;
  frame_.clear();
  write(CommandType::Reserve, Names{}, {}, frame_);
  link().send(frame_);
}

PublishStatus WorkermanDialect::publishToGroup(std::string_view name, Message message, SendId) {
  const std::string_view event = link().options().groupEvent;
  data_.clear();
  appendGroupEvent(name, message.data, data_);
  frame_.clear();
  encodeWorkermanFrame(CommandType::Publish, {&event, 1}, data_, frame_);
  return sendOrKeep(frame_);
}

void WorkermanDialect::requestHistory(std::string_view, Position, Channel::HistoryHandler handler) {
  link().call("requestHistory", handler, HistoryReply{});
}

PublishStatus WorkermanDialect::sendOrKeep(std::string_view frame) {
  if (frame.size() > link().options().frameBytesMax) return PublishStatus::Refused;
  if (link().isConnected()) {
    net::Output& output = link().connection()->reactor.output;
    if (!output.isFull(*link().connection(), frame.size())) {
      link().send(frame);
      ++accepted_;
      return PublishStatus::Accepted;
    }
    output.noteFull(*link().connection());
    link().owesDrain();
    return PublishStatus::Full;
  }
  if (!kept_.empty() && kept_.size() + frame.size() > link().options().unackedBytesMax) {
    LoopImpl::current().counters().sendFull.add();
    link().owesDrain();
    return PublishStatus::Full;
  }
  kept_ += frame;
  ++accepted_;
  return PublishStatus::Accepted;
}

std::size_t WorkermanDialect::unackedBytes() const {
  return link().isConnected() ? link().connection()->sendQueueBytes() : kept_.size();
}

void WorkermanDialect::sendKept() {
  if (kept_.empty()) return;
  link().send(std::exchange(kept_, {}));
  if (link().isDrainOwed()) link().connection()->reactor.output.noteFull(*link().connection());
}

void WorkermanDialect::onLost() { link().drained(); }

void WorkermanDialect::subscribeGroup(std::string_view name) {
  const bool isNew = groups_.emplace(name).second;
  if (!isNew || groups_.size() > 1 || !link().isConnected()) return;
  frame_.clear();
  writeGroups(frame_);
  link().send(frame_);
}

void WorkermanDialect::unsubscribeGroup(std::string_view name) {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return;
  groups_.erase(found);
  if (!groups_.empty() || isGroupEventSubscribed() || !link().isConnected()) return;
  frame_.clear();
  write(CommandType::Unsubscribe, Names{link().options().groupEvent}, {}, frame_);
  link().send(frame_);
}

void WorkermanDialect::writeSubscriptions(std::string& out) {
  if (!link().events().empty()) write(CommandType::Subscribe, link().events(), {}, out);
  writeGroups(out);
}

void WorkermanDialect::writeGroups(std::string& out) {
  if (groups_.empty() || isGroupEventSubscribed()) return;
  write(CommandType::Subscribe, Names{link().options().groupEvent}, {}, out);
}

void WorkermanDialect::write(LinkRequest request, const Names& names, std::string& out) {
  switch (request) {
    case LinkRequest::Subscribe:
      return write(CommandType::Subscribe, names, {}, out);
    case LinkRequest::Unsubscribe: {
      Names removed = names;
      if (!groups_.empty()) std::erase(removed, link().options().groupEvent);  // groups need it
      if (!removed.empty()) write(CommandType::Unsubscribe, removed, {}, out);
      return;
    }
    case LinkRequest::Watch:
      return write(CommandType::Watch, names, {}, out);
    case LinkRequest::Unwatch:
      return write(CommandType::Unwatch, names, {}, out);
    case LinkRequest::Reserve:
      return write(CommandType::Reserve, names, {}, out);
    case LinkRequest::Ping:
      return write(CommandType::Ping, names, {}, out);
  }
}

}  // namespace stormo::channel
