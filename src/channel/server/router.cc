#include "channel/server/router.h"

#include "base/assert.h"
#include "base/keyed_hash.h"
#include "protocol/channel/group_event.h"
#include "protocol/channel/workerman_command.h"
#include "protocol/package/frame.h"
#include "sys/random_id.h"

namespace stormo::channel {
namespace {

auto copyOf(std::string_view frame) {
  return [frame](net::Batch& batch, net::OutputOrder& order) { batch.append(frame, order); };
}

// Limit of hasNoMessageSince(). Many clients may reconnect at once, and on a busy server its result
// is most likely false.
constexpr std::size_t kCheckedEventsMax = 1000;

Packet eventIn(std::string_view frame) {
  Packet event;
  STORMO_ASSERT(decode(framePayload(frame), event) == Decode::Ok);
  return event;
}

/// Names of both name spaces.
class SubscriptionSet {
 public:
  explicit SubscriptionSet(const std::vector<Router::Subscription>& subscriptions) {
    for (const auto& each : subscriptions) of(each.space).insert(each.name);
  }
  [[nodiscard]] bool holds(const Packet& event) const {
    const auto& names = event.space == Space::Groups ? groups_ : events_;
    return names.contains(event.channel);
  }

 private:
  using Names = KeyedSet<std::string_view>;
  Names& of(Space space) { return space == Space::Groups ? groups_ : events_; }
  Names events_;
  Names groups_;
};

}  // namespace

Router::Router(EventLoop& loop, std::string groupEvent, EventLog& log, History& history)
    : table_(net::ConnectionTable::of(loop)),
      log_(log),
      history_(history),
      stormoEvents_(loop),
      stormoGroups_(loop),
      workermanEvents_(loop),
      groupEvent_(std::move(groupEvent)),
      epoch_(randomId()) {
  const auto follow = [this](group::Registry& registry, group::Group* Subscribers::*side) {
    registry.onFirstMember = [this, &registry, side](std::string_view event) {
      if (event == groupEvent_) groupEventSubscribers_.*side = registry.find(event);
    };
    registry.onLastMember = [this, side](std::string_view event) {
      if (event == groupEvent_) groupEventSubscribers_.*side = nullptr;
      const bool hasNoSubscribers =
          stormoEvents_.find(event) == nullptr && workermanEvents_.find(event) == nullptr;
      if (hasNoSubscribers && !loopTurns_.empty()) loopTurns_.erase(std::string(event));
    };
  };
  follow(stormoEvents_, &Subscribers::stormo);
  follow(workermanEvents_, &Subscribers::workerman);
}

group::Registry& Router::registryOf(Dialect dialect, Space space) {
  if (dialect == Dialect::Workerman) return workermanEvents_;
  return space == Space::Groups ? stormoGroups_ : stormoEvents_;
}

void Router::subscribe(net::ConnectionImpl& link, Dialect dialect, Space space,
                       std::string_view name) {
  registryOf(dialect, space).join(link, name);
}

void Router::unsubscribe(net::ConnectionImpl& link, Dialect dialect, Space space,
                         std::string_view name) {
  registryOf(dialect, space).leave(link, name);
}

bool Router::resume(net::ConnectionImpl& link, const std::vector<Subscription>& subscriptions,
                    std::uint64_t offset) {
  const bool isWhole = log_.reaches(offset);
  if (isWhole) {
    const SubscriptionSet wanted(subscriptions);
    log_.visitAfter(offset, [&](std::string_view frame) {
      if (wanted.holds(eventIn(frame))) send(link, frame);
      return true;
    });
  }
  for (const Subscription& each : subscriptions) {
    subscribe(link, Dialect::Stormo, each.space, each.name);
  }
  return isWhole;
}

void Router::save(StateWriter& state) const {
  state.number(epoch_);
  state.number(offset_);
}

void Router::load(StateReader& state) {
  epoch_ = state.number();
  offset_ = state.number();
}

bool Router::hasNoMessageSince(std::uint64_t offset, std::string_view group) const {
  if (!log_.reaches(offset)) return false;
  bool isSilent = true;
  std::size_t left = kCheckedEventsMax;
  log_.visitAfter(offset, [&](std::string_view frame) {
    const Packet event = eventIn(frame);
    isSilent = left-- > 0 && !(event.space == Space::Groups && event.channel == group);
    return isSilent;
  });
  return isSilent;
}

void Router::replyHistory(net::ConnectionImpl& link, std::string_view group, std::uint64_t epoch,
                          std::uint64_t offset) {
  Packet reply{.kind = Kind::HistoryReply,
               .space = Space::Groups,
               .epoch = epoch_,
               .offset = offset_,
               .channel = group};
  frame_.assign(headerBytes(reply), '\0');
  reply.whole =
      epoch == epoch_ && (history_.appendAfter(group, offset, table_.loop().now, frame_) ||
                          hasNoMessageSince(offset, group));
  encodeHeader(reply, frame_.size() - headerBytes(reply), frame_.data());
  send(link, frame_);
}

std::string_view Router::logged(const Packet& event) {
  const std::size_t payloadBytes = event.payload.size();
  const std::size_t bytes = headerBytes(event) + payloadBytes;
  char* const frame = log_.append(event.offset, bytes, table_.loop().now);
  event.payload.copy(encodeHeader(event, payloadBytes, frame), payloadBytes);
  return {frame, bytes};
}

Packet Router::nextEvent(Origin origin, Space space, std::string_view channel, PayloadKind kind,
                         std::string_view payload) {
  return {.kind = Kind::Event,
          .payloadKind = kind,
          .space = space,
          .epoch = epoch_,
          .offset = ++offset_,
          .producerId = origin.producerId,
          .sequence = origin.sequence,
          .channel = channel,
          .payload = payload};
}

std::string_view Router::workermanFrame(std::string_view event, std::string_view data) {
  frame_.assign(kFrameHeaderBytes, '\0');
  encodeWorkerman(CommandType::Event, {&event, 1}, data, frame_);
  encodeFrameHeader(frame_.size() - kFrameHeaderBytes, frame_.data());
  return frame_;
}

void Router::toEventSubscribers(Origin origin, const Subscribers& subscribers,
                                std::string_view event, std::string_view data) {
  // Also without subscribers, because disconnected links may resume.
  const std::string_view made =
      logged(nextEvent(origin, Space::Events, event, PayloadKind::Value, data));
  if (subscribers.stormo != nullptr) {
    stormoEvents_.append(*subscribers.stormo, made.size(), copyOf(made));
  }
  if (subscribers.workerman != nullptr) {
    const std::string_view frame = workermanFrame(event, data);
    workermanEvents_.append(*subscribers.workerman, frame.size(), copyOf(frame));
  }
}

void Router::toGroupSubscribers(Origin origin, std::string_view group, Message message) {
  const std::string_view made =
      logged(nextEvent(origin, Space::Groups, group, payloadKindOf(message), message.data));
  history_.append(group, offset_, made, table_.loop().now);
  group::Group* subscribers = stormoGroups_.find(group);
  if (subscribers != nullptr) stormoGroups_.append(*subscribers, made.size(), copyOf(made));
}

void Router::publishEvent(Origin origin, std::string_view event, std::string_view data) {
  toEventSubscribers(origin, {stormoEvents_.find(event), workermanEvents_.find(event)}, event,
                     data);
  if (event != groupEvent_) return;
  if (const auto message = readGroupEvent(data, text_))
    toGroupSubscribers(origin, message->group, message->message);
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

  if (next < stormoCount) {
    // Not logged: a replay would also reach other subscribers that reconnect.
    frame_.clear();
    encode(nextEvent(origin, Space::Events, event, PayloadKind::Value, data), frame_);
    send(*all.stormo->members[next].connection, frame_);
  } else {
    send(*all.workerman->members[next - stormoCount].connection, workermanFrame(event, data));
  }
}

void Router::send(net::ConnectionImpl& link, std::string_view frame) {
  link.append(frame);
  table_.counters().messagesOut.add();
}

}  // namespace stormo::channel
