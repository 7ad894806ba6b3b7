#include "channel/client/workerman_bus.h"

#include <algorithm>
#include <utility>

#include "event/loop_impl.h"
#include "net/reactor.h"
#include "protocol/channel/group_event.h"
#include "protocol/package/frame.h"
#include "protocol/php/serialize.h"

namespace stormo::channel {

void WorkermanBus::write(CommandType type, std::span<const std::string_view> names,
                         std::string_view data, std::string& out) {
  const std::size_t start = out.size();
  out.append(kFrameHeaderBytes, '\0');
  encodeWorkerman(type, names, data, out);
  encodeFrameHeader(out.size() - start - kFrameHeaderBytes, out.data() + start);
}

void WorkermanBus::write(CommandType type, const Names& names, std::string_view data,
                         std::string& out) {
  names_.assign(names.begin(), names.end());
  write(type, names_, data, out);
}

void WorkermanBus::onPayload(std::string_view payload) {
  if (decodeWorkerman(payload, command_) != Decode::Ok) return violation(command_.reason);
  switch (command_.type) {
    case CommandType::Event:
      break;
    case CommandType::Queue:
      return jobReceived(command_.channels.front(), command_.data);
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
      return violation("not a server's word");
  }
  const std::string_view event = command_.channels.front();
  if (event != options().groupEvent || groups_.empty()) return eventReceived(event, command_.data);
  const auto message = readGroupEvent(command_.data, text_);
  if (message && groups_.find(message->group) != groups_.end()) {
    groupMessageReceived({.group = message->group, .message = message->message});
  }
  if (isGroupEventSubscribed()) eventReceived(event, command_.data);
}

PublishStatus WorkermanBus::publish(CommandType type, const Names& names, const Value& data) {
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

PublishStatus WorkermanBus::publish(const Names& events, const Value& data, bool loop) {
  return publish(loop ? CommandType::PublishLoop : CommandType::Publish, events, data);
}

PublishStatus WorkermanBus::enqueue(const Names& queues, const Value& data) {
  return publish(CommandType::Enqueue, queues, data);
}

PublishStatus WorkermanBus::publishToGroup(std::string_view name, Message message, SendId) {
  const std::string_view event = options().groupEvent;
  data_.clear();
  appendGroupEvent(name, message.data, data_);
  frame_.clear();
  write(CommandType::Publish, {&event, 1}, data_, frame_);
  return sendOrKeep(frame_);
}

void WorkermanBus::requestHistory(std::string_view, Position, HistoryHandler handler) {
  historyReplyReceived(handler, {});
}

PublishStatus WorkermanBus::sendOrKeep(std::string_view frame) {
  if (frame.size() > options().frameBytesMax) return PublishStatus::Refused;
  if (isConnected()) {
    net::Output& output = link()->reactor.output;
    if (!output.isFull(*link(), frame.size())) {
      send(frame);
      ++accepted_;
      return PublishStatus::Accepted;
    }
    output.noteFull(*link());
    owesDrain();
    return PublishStatus::Full;
  }
  if (!kept_.empty() && kept_.size() + frame.size() > options().keptBytesMax) {
    LoopImpl::current().counters().sendFull.add();
    owesDrain();
    return PublishStatus::Full;
  }
  kept_ += frame;
  ++accepted_;
  return PublishStatus::Accepted;
}

std::size_t WorkermanBus::unacknowledgedBytes() const {
  return isConnected() ? link()->sendQueueBytes() : kept_.size();
}

void WorkermanBus::sendKept() {
  if (kept_.empty()) return;
  send(std::exchange(kept_, {}));
  if (isDrainOwed()) link()->reactor.output.noteFull(*link());
}

void WorkermanBus::onLinkLost() { drained(); }

void WorkermanBus::subscribeGroup(std::string_view name) {
  const bool isNew = groups_.emplace(name).second;
  if (!isNew || groups_.size() > 1 || !isConnected()) return;
  frame_.clear();
  writeGroups(frame_);
  send(frame_);
}

void WorkermanBus::unsubscribeGroup(std::string_view name) {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return;
  groups_.erase(found);
  if (!groups_.empty() || isGroupEventSubscribed() || !isConnected()) return;
  frame_.clear();
  write(CommandType::Unsubscribe, Names{options().groupEvent}, {}, frame_);
  send(frame_);
}

void WorkermanBus::writeSubscriptions(std::string& out) {
  if (!events().empty()) writeSubscribe(events(), out);
  writeGroups(out);
}

void WorkermanBus::writeGroups(std::string& out) {
  if (groups_.empty() || isGroupEventSubscribed()) return;
  write(CommandType::Subscribe, Names{options().groupEvent}, {}, out);
}

void WorkermanBus::writeSubscribe(const Names& events, std::string& out) {
  write(CommandType::Subscribe, events, {}, out);
}

void WorkermanBus::writeUnsubscribe(const Names& events, std::string& out) {
  Names removed = events;
  if (!groups_.empty()) std::erase(removed, options().groupEvent);  // the groups need it
  if (!removed.empty()) write(CommandType::Unsubscribe, removed, {}, out);
}

void WorkermanBus::writeWatch(const Names& queues, std::string& out) {
  write(CommandType::Watch, queues, {}, out);
}

void WorkermanBus::writeUnwatch(const Names& queues, std::string& out) {
  write(CommandType::Unwatch, queues, {}, out);
}

void WorkermanBus::writeReserve(std::string& out) { write(CommandType::Reserve, Names{}, {}, out); }

void WorkermanBus::writePing(std::string& out) { write(CommandType::Ping, Names{}, {}, out); }

}  // namespace stormo::channel
