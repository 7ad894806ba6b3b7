#include "channel/router.h"

#include <random>

#include "channel/group_event.h"
#include "protocol/frame.h"
#include "protocol/workerman_channel.h"

namespace stormo::channel {
namespace {

std::uint64_t randomNumber() {
  std::random_device source;
  return (std::uint64_t{source()} << 32) | source();
}

/// Writes one event into whichever batch it is given.
auto eventWriter(const EventHeader& header, std::string_view payload) {
  return [&header, payload](net::Batch& batch, net::OutputOrder& order) {
    char* const frame = batch.extend(headerBytes(header) + payload.size(), order);
    payload.copy(encodeHeader(header, payload.size(), frame), payload.size());
  };
}

}  // namespace

Router::Router(EventLoop& loop, std::string groupEvent)
    : table_(net::ConnectionTable::of(loop)),
      stormoEvents_(loop),
      stormoGroups_(loop),
      workermanEvents_(loop),
      groupEvent_(std::move(groupEvent)),
      epoch_(randomNumber()) {
  const auto follow = [this](group::Registry& registry, group::Group* Subscribers::*side) {
    registry.onFirstMember = [this, &registry, side](std::string_view event) {
      if (event == groupEvent_) groupEventSubscribers_.*side = registry.find(event);
    };
    registry.onLastMember = [this, side](std::string_view event) {
      if (event == groupEvent_) groupEventSubscribers_.*side = nullptr;
      const bool isGone =
          stormoEvents_.find(event) == nullptr && workermanEvents_.find(event) == nullptr;
      if (isGone && !loopTurns_.empty()) loopTurns_.erase(std::string(event));
    };
  };
  follow(stormoEvents_, &Subscribers::stormo);
  follow(workermanEvents_, &Subscribers::workerman);
}

group::Registry& Router::registryOf(Dialect dialect, Space space) {
  if (dialect == Dialect::Workerman) return workermanEvents_;
  return space == Space::Groups ? stormoGroups_ : stormoEvents_;
}

void Router::subscribe(net::Peer& link, Dialect dialect, Space space, std::string_view name) {
  registryOf(dialect, space).join(link, name);
}

void Router::unsubscribe(net::Peer& link, Dialect dialect, Space space, std::string_view name) {
  registryOf(dialect, space).leave(link, name);
}

EventHeader Router::nextHeader(Origin origin, std::string_view channel, PayloadKind kind,
                               Space space) {
  return {.channel = channel,
          .epoch = epoch_,
          .offset = ++offset_,
          .publisherId = origin.publisherId,
          .sequence = origin.sequence,
          .payloadKind = kind,
          .space = space};
}

std::string_view Router::workermanFrame(std::string_view event, std::string_view data) {
  frame_.assign(kFrameHeaderBytes, '\0');
  encodeWorkerman(CommandType::Event, {&event, 1}, data, frame_);
  encodeFrameHeader(frame_.size() - kFrameHeaderBytes, frame_.data());
  return frame_;
}

void Router::toEventSubscribers(Origin origin, const Subscribers& subscribers,
                                std::string_view event, std::string_view data) {
  if (subscribers.stormo != nullptr) {
    const EventHeader header = nextHeader(origin, event, PayloadKind::Value, Space::Events);
    stormoEvents_.append(*subscribers.stormo, headerBytes(header) + data.size(),
                         eventWriter(header, data));
  }
  if (subscribers.workerman != nullptr) {
    const std::string_view frame = workermanFrame(event, data);
    workermanEvents_.append(
        *subscribers.workerman, frame.size(),
        [frame](net::Batch& batch, net::OutputOrder& order) { batch.append(frame, order); });
  }
}

void Router::toGroupSubscribers(Origin origin, std::string_view group, Message message) {
  group::Group* subscribers = stormoGroups_.find(group);
  if (subscribers == nullptr) return;
  const PayloadKind kind = message.isBinary() ? PayloadKind::Binary : PayloadKind::Text;
  const EventHeader header = nextHeader(origin, group, kind, Space::Groups);
  stormoGroups_.append(*subscribers, headerBytes(header) + message.data.size(),
                       eventWriter(header, message.data));
}

void Router::publishEvent(Origin origin, std::string_view event, std::string_view data) {
  toEventSubscribers(origin, {stormoEvents_.find(event), workermanEvents_.find(event)}, event,
                     data);
  if (event != groupEvent_) return;
  if (const auto said = readGroupEvent(data, text_))
    toGroupSubscribers(origin, said->group, said->message);
}

void Router::publishToGroup(Origin origin, std::string_view group, Message message) {
  toGroupSubscribers(origin, group, message);
  const Subscribers& listeners = groupEventSubscribers_;
  if (listeners.stormo == nullptr && listeners.workerman == nullptr) return;
  data_.clear();
  appendGroupEvent(group, message.data, data_);
  toEventSubscribers(origin, listeners, groupEvent_, data_);
}

void Router::publishLoop(Origin origin, std::string_view event, std::string_view data) {
  const Subscribers all{stormoEvents_.find(event), workermanEvents_.find(event)};
  const std::size_t stormoCount = all.stormo == nullptr ? 0 : all.stormo->members.size();
  const std::size_t workermanCount = all.workerman == nullptr ? 0 : all.workerman->members.size();
  if (stormoCount + workermanCount == 0) return;
  auto turn = loopTurns_.find(event);
  if (turn == loopTurns_.end()) turn = loopTurns_.emplace(std::string(event), 0).first;
  const std::size_t next = turn->second++ % (stormoCount + workermanCount);

  table_.counters().messagesOut.add();
  if (next < stormoCount) {
    const EventHeader header = nextHeader(origin, event, PayloadKind::Value, Space::Events);
    eventWriter(header, data)(table_.ownBatch(*all.stormo->members[next].peer), table_.order());
  } else {
    net::Peer& peer = *all.workerman->members[next - stormoCount].peer;
    table_.ownBatch(peer).append(workermanFrame(event, data), table_.order());
  }
}

}  // namespace stormo::channel
