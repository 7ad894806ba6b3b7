#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"
#include "channel/server/channel_state.h"
#include "channel/server/slow_links.h"
#include "group/registry.h"
#include "protocol/channel/packet.h"

namespace stormo::channel {

/// Subscriptions, and delivery of events to all subscribers: an event is encoded once per dialect,
/// into a batch shared by the subscribers, and sent in the flush of this turn.
///
/// Events and groups are two name spaces. The event `groupEvent` connects them: a message to any
/// group is also an event `groupEvent` for its subscribers, derived here. (That such an event is
/// also a message to a group is part of the ChannelState.)
class Router final : public ReplaySource {
 public:
  /// `state` outlives this.
  Router(EventLoop& loop, std::string groupEvent, const ChannelState& state);
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // A closed link is unsubscribed automatically. Names have a valid length.
  void subscribe(net::ConnectionImpl& link, Dialect dialect, Space space, std::string_view name);
  void unsubscribe(net::ConnectionImpl& link, Dialect dialect, Space space, std::string_view name);
  /// A link has closed: what was sent to it alone, and has not left, goes to another one.
  void onClose(const net::ConnectionImpl& link);
  /// Before and after the output of a turn is flushed.
  void onFlush();
  void onFlushed();

  // As StateObserver:
  void onEvent(const Packet& event, std::string_view frame);
  /// To one subscriber, in rotation; one that lags is passed over. Does not reach groups.
  void onEventToOne(const Packet& event);

  // As ReplaySource. A link in Workerman's dialect gets no Gap, as it knows none.
  std::uint64_t replay(net::ConnectionImpl& link, std::uint64_t offset,
                       std::size_t bytesMax) override;
  [[nodiscard]] std::uint64_t head() const override { return state_.offset(); }

  /// Sends a Gap up to now, and then the retained events of its subscriptions, of which it may have
  /// missed some.
  void sendGap(net::ConnectionImpl& link);
  /// Of both dialects.
  [[nodiscard]] std::size_t subscriberCount(std::string_view event) const;

  /// Sends a HistoryReply with the group's events since that position. It is ordered with the
  /// link's events: those before it are included, those after it are not.
  void replyHistory(net::ConnectionImpl& link, std::string_view group, std::uint64_t epoch,
                    std::uint64_t offset, std::uint64_t now, bool mayBeAhead);

 private:
  /// Subscribers of one event by dialect; null if there are none.
  struct Subscribers {
    group::Group* stormo = nullptr;
    group::Group* workerman = nullptr;
  };
  /// An event that was sent to one link alone.
  struct SentToOne {
    const net::ConnectionImpl* link;  ///< Null: it has closed.
    std::string frame;
  };

  group::Registry& registryOf(Dialect dialect, Space space);
  [[nodiscard]] Subscribers subscribersOf(std::string_view event) const;
  void toEventSubscribers(const Subscribers& subscribers, const Packet& event,
                          std::string_view frame);
  /// The event `groupEvent` of a group message. Valid until the next call.
  Packet derivedEvent(const Packet& message);
  /// It is subscribed to the event, and was when that came.
  [[nodiscard]] bool isMissing(net::ConnectionImpl& link, const Packet& event);
  void sendRetained(net::ConnectionImpl& link, std::string_view event);
  void replayOne(net::ConnectionImpl& link, const Packet& event, std::string_view frame);
  /// Whole frames, valid until the next call.
  std::string_view frameOf(const Packet& event);
  std::string_view workermanFrame(const Packet& event);
  void send(net::ConnectionImpl& link, std::string_view frame);

  net::Reactor& reactor_;
  const ChannelState& state_;
  group::Registry stormoEvents_;
  group::Registry stormoGroups_;
  group::Registry workermanEvents_;

  const std::string groupEvent_;
  Subscribers groupEventSubscribers_;  // cached, because every group message needs them
  KeyedMap<std::string, std::size_t> loopTurns_;
  std::vector<SentToOne> sentToOne_;  // what may not have left yet

  std::string frame_;
  std::string workermanFrame_;
  std::string data_;
};

}  // namespace stormo::channel
