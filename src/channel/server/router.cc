#include "channel/server/router.h"

#include <algorithm>
#include <utility>

#include "protocol/channel/client_name.h"
#include "protocol/channel/group_event.h"
#include "protocol/channel/workerman_command.h"
#include "sys/log.h"

namespace stormo::channel {
namespace {

auto copyOf(std::string_view frame) {
  return [frame](net::Variant, net::Batch& batch, net::OutputOrder& order) {
    batch.append(frame, order);
  };
}

/// State of a link: what it has subscribed to while it lagged, and the offset at that time.
struct SubscribedWhileLagging : KeyedMap<std::string, std::uint64_t> {};

std::string subscriptionKey(Space space, std::string_view name) {
  return (space == Space::Groups ? "g" : "e") + std::string(name);
}

}  // namespace

Router::Router(EventLoop& loop, std::string groupEvent, const ChannelState& state)
    : reactor_(net::Reactor::of(loop)),
      state_(state),
      stormoEvents_(loop),
      stormoGroups_(loop),
      workermanEvents_(loop),
      groupEvent_(std::move(groupEvent)) {
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
  if (dialect == Dialect::Stormo && space == Space::Events) sendRetained(link, name);
  if (SlowLinks::isLive(link)) return;
  // What it misses is replayed to it: of this subscription only what comes from now on.
  auto& since = link.state<SubscribedWhileLagging>();
  since.insert_or_assign(subscriptionKey(space, name), head());
}

void Router::unsubscribe(net::ConnectionImpl& link, Dialect dialect, Space space,
                         std::string_view name) {
  registryOf(dialect, space).leave(link, name);
}

// --- Live events ---

void Router::onEvent(const Packet& event, std::string_view frame) {
  if (event.space == Space::Events) {
    return toEventSubscribers(subscribersOf(event.channel), event, frame);
  }
  group::Group* const members = stormoGroups_.find(subscriptionOf(event.channel));
  if (members != nullptr) stormoGroups_.append(*members, frame.size(), copyOf(frame));
  const Subscribers& listeners = groupEventSubscribers_;
  if (event.derived || (listeners.stormo == nullptr && listeners.workerman == nullptr)) return;
  const Packet derived = derivedEvent(event);
  toEventSubscribers(listeners, derived, listeners.stormo == nullptr ? "" : frameOf(derived));
}

void Router::toEventSubscribers(const Subscribers& subscribers, const Packet& event,
                                std::string_view frame) {
  if (subscribers.stormo != nullptr) {
    stormoEvents_.append(*subscribers.stormo, frame.size(), copyOf(frame));
  }
  if (subscribers.workerman != nullptr) {
    const std::string_view theirs = workermanFrame(event);
    workermanEvents_.append(*subscribers.workerman, theirs.size(), copyOf(theirs));
  }
}

Router::Subscribers Router::subscribersOf(std::string_view event) const {
  return {stormoEvents_.find(event), workermanEvents_.find(event)};
}

Packet Router::derivedEvent(const Packet& message) {
  data_.clear();
  appendGroupEvent(message.channel, message.payload, data_);
  return {.kind = Kind::Event,
          .payloadKind = PayloadKind::Value,
          .derived = true,
          .space = Space::Events,
          .epoch = message.epoch,
          .offset = message.offset,
          .channel = groupEvent_,
          .payload = data_};
}

// --- Events for one subscriber ---

void Router::onEventToOne(const Packet& event) {
  const Subscribers all = subscribersOf(event.channel);
  const std::size_t stormoCount = all.stormo == nullptr ? 0 : all.stormo->members.size();
  const std::size_t count =
      stormoCount + (all.workerman == nullptr ? 0 : all.workerman->members.size());
  if (count == 0) return;
  auto turn = loopTurns_.find(event.channel);
  if (turn == loopTurns_.end()) turn = loopTurns_.emplace(std::string(event.channel), 0).first;
  const auto linkAt = [&](std::size_t index) {
    return index < stormoCount ? all.stormo->members[index].connection
                               : all.workerman->members[index - stormoCount].connection;
  };
  std::size_t next = turn->second++ % count;
  for (std::size_t i = 0; i < count && !SlowLinks::isLive(*linkAt(next)); ++i) {
    next = turn->second++ % count;
  }
  net::ConnectionImpl& link = *linkAt(next);
  sentToOne_.push_back({&link, std::string(frameOf(event))});
  send(link, next < stormoCount ? std::string_view(frame_) : workermanFrame(event));
}

void Router::onClose(const net::ConnectionImpl& link) {
  for (SentToOne& each : sentToOne_) {
    if (each.link == &link) each.link = nullptr;
  }
}

void Router::onFlush() {
  const auto isLost = [](const SentToOne& each) { return each.link == nullptr; };
  if (std::ranges::none_of(sentToOne_, isLost)) return;
  std::vector<SentToOne> lost;
  std::ranges::copy_if(sentToOne_, std::back_inserter(lost), isLost);
  std::erase_if(sentToOne_, isLost);
  for (const SentToOne& each : lost) onEventToOne(eventIn(each.frame));
}

void Router::onFlushed() {
  std::erase_if(sentToOne_, [](const SentToOne& each) {
    if (each.link == nullptr || each.link->out.state == net::WriteState::Failed) return false;
    return each.link->phase < net::Phase::Dead && each.link->queuedBytes() == 0;
  });
}

// --- Events that were missed ---

std::uint64_t Router::replay(net::ConnectionImpl& link, std::uint64_t offset,
                             std::size_t bytesMax) {
  const bool isAhead = offset > head();
  if (isAhead || !state_.window().reaches(offset)) {
    log::warning("{} remote={}",
                 isAhead ? "a link has received events that have not come here in time"
                         : "a link has missed events that are no longer here",
                 link.remoteAddress());
    if (link.state<Dialect>() == Dialect::Stormo) sendGap(link);
    link.state<SubscribedWhileLagging>().clear();
    return head();
  }
  std::uint64_t reached = head();
  state_.window().visitFrom(offset + 1, [&](std::string_view frame) {
    const Packet event = eventIn(frame);
    if (link.out.ownBytes() >= bytesMax && !event.derived) {
      reached = event.offset - 1;
      return false;
    }
    replayOne(link, event, frame);
    return true;
  });
  if (reached == head()) link.state<SubscribedWhileLagging>().clear();
  return reached;
}

bool Router::isMissing(net::ConnectionImpl& link, const Packet& event) {
  const Dialect dialect = link.state<Dialect>();
  if (dialect == Dialect::Workerman && event.space == Space::Groups) return false;
  const group::Registry& registry = registryOf(dialect, event.space);
  const std::string_view name =
      event.space == Space::Groups ? subscriptionOf(event.channel) : event.channel;
  const group::Group* const members = registry.find(name);
  if (members == nullptr || !registry.isMember(link, *members)) return false;
  const auto& since = link.state<SubscribedWhileLagging>();
  if (since.empty()) return true;
  const auto begin = since.find(subscriptionKey(event.space, name));
  return begin == since.end() || event.offset > begin->second;
}

void Router::replayOne(net::ConnectionImpl& link, const Packet& event, std::string_view frame) {
  const bool isStormo = link.state<Dialect>() == Dialect::Stormo;
  if (isMissing(link, event)) send(link, isStormo ? frame : workermanFrame(event));
  if (event.space == Space::Events || event.derived) return;
  if (groupEventSubscribers_.stormo == nullptr && groupEventSubscribers_.workerman == nullptr) {
    return;
  }
  const Packet derived = derivedEvent(event);
  if (!isMissing(link, derived)) return;
  send(link, isStormo ? frameOf(derived) : workermanFrame(derived));
}

void Router::replyHistory(net::ConnectionImpl& link, std::string_view group, std::uint64_t epoch,
                          std::uint64_t offset, std::uint64_t now, bool mayBeAhead) {
  Packet reply{.kind = Kind::HistoryReply,
               .space = Space::Groups,
               .epoch = state_.epoch(),
               .offset = head(),
               .channel = group};
  frame_.assign(headerBytes(reply), '\0');
  // A position after the latest event is none that this log has given, if it is not shared.
  reply.ahead = mayBeAhead && epoch == state_.epoch() && offset > head();
  reply.whole = epoch == state_.epoch() && offset <= head() &&
                state_.appendMessagesAfter(offset, group, now, frame_);
  const bool wantsAll = epoch == state_.epoch() && offset == 0;
  if (wantsAll && !reply.whole) state_.history().appendAll(group, now, frame_);
  encodeHeader(reply, frame_.size() - headerBytes(reply), frame_.data());
  send(link, frame_);
}

// --- Frames ---

void Router::sendGap(net::ConnectionImpl& link) {
  send(link, frameOf({.kind = Kind::Gap, .epoch = state_.epoch(), .offset = head()}));
  state_.retained().forEachName([&](std::string_view event) {
    const group::Group* const subscribers = stormoEvents_.find(event);
    if (subscribers != nullptr && stormoEvents_.isMember(link, *subscribers)) {
      sendRetained(link, event);
    }
  });
}

void Router::sendRetained(net::ConnectionImpl& link, std::string_view event) {
  state_.retained().forEachOf(event, state_.time(), [&](std::string_view payload) {
    send(link,
         frameOf(
             {.kind = Kind::Event, .epoch = state_.epoch(), .channel = event, .payload = payload}));
  });
}

std::size_t Router::subscriberCount(std::string_view event) const {
  const Subscribers all = subscribersOf(event);
  return (all.stormo == nullptr ? 0 : all.stormo->members.size()) +
         (all.workerman == nullptr ? 0 : all.workerman->members.size());
}

std::string_view Router::frameOf(const Packet& event) {
  frame_.clear();
  encode(event, frame_);
  return frame_;
}

std::string_view Router::workermanFrame(const Packet& event) {
  workermanFrame_.clear();
  encodeWorkermanFrame(CommandType::Event, {&event.channel, 1}, event.payload, workermanFrame_);
  return workermanFrame_;
}

void Router::send(net::ConnectionImpl& link, std::string_view frame) {
  link.append(frame);
  reactor_.counters().messagesOut.add();
}

}  // namespace stormo::channel
