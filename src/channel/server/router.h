#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"
#include "channel/server/event_log.h"
#include "channel/server/history.h"
#include "group/registry.h"
#include "protocol/channel/packet.h"

namespace stormo::channel {

/// The publish that an event comes from; zeros if its link does not number publishes.
struct Origin {
  std::uint64_t producerId = 0;
  std::uint64_t sequence = 0;
};

/// Subscriptions, and delivery of events to all subscribers: an event is encoded once per dialect,
/// into a batch shared by the subscribers, and sent in the flush of this turn.
///
/// Events and groups are two name spaces. The event `groupEvent` connects them: publishing it sends
/// a message to the group named in its data, and a message to any group is also an event
/// `groupEvent`.
class Router {
 public:
  struct Subscription {
    Space space;
    std::string name;
  };

  /// `log` keeps the routed events for links that reconnect, `history` those of groups for clients
  /// that reconnect. Both outlive this.
  Router(EventLoop& loop, std::string groupEvent, EventLog& log, History& history);
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // A closed link is unsubscribed automatically. Names have a valid length.
  void subscribe(net::ConnectionImpl& link, Dialect dialect, Space space, std::string_view name);
  void unsubscribe(net::ConnectionImpl& link, Dialect dialect, Space space, std::string_view name);
  /// Restores the subscriptions of a link of Stormo's dialect, and first sends it their events
  /// after `offset` of this epoch. Returns false if some of these were removed.
  bool resume(net::ConnectionImpl& link, const std::vector<Subscription>& subscriptions,
              std::uint64_t offset);

  /// Sends a HistoryReply with the group's events since that position. It is ordered with the
  /// link's events: those before it are included, those after it are not.
  void replyHistory(net::ConnectionImpl& link, std::string_view group, std::uint64_t epoch,
                    std::uint64_t offset);

  /// `data` is one serialized value.
  void publishEvent(Origin origin, std::string_view event, std::string_view data);
  /// To one subscriber, in rotation. Does not reach groups.
  void publishLoop(Origin origin, std::string_view event, std::string_view data);
  void publishToGroup(Origin origin, std::string_view group, Message message);

  void save(StateWriter& state) const;
  /// Resumes the numbering of another router. Only before the first publish.
  void load(StateReader& state);

  /// Epoch of this router's offsets. Offsets of different epochs are not comparable.
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  /// Offset of the latest event.
  [[nodiscard]] const std::uint64_t& offset() const { return offset_; }

 private:
  /// Subscribers of one event by dialect; null if there are none.
  struct Subscribers {
    group::Group* stormo = nullptr;
    group::Group* workerman = nullptr;
  };

  /// True if certainly no message was sent to the group after `offset`. Checks at most
  /// kCheckedEventsMax events.
  [[nodiscard]] bool hasNoMessageSince(std::uint64_t offset, std::string_view group) const;
  group::Registry& registryOf(Dialect dialect, Space space);
  [[nodiscard]] Packet nextEvent(Origin origin, Space space, std::string_view channel,
                                 PayloadKind kind, std::string_view payload);
  /// Appends the event to the log. Returns its frame, valid until the next event.
  std::string_view logged(const Packet& event);
  void toEventSubscribers(Origin origin, const Subscribers& subscribers, std::string_view event,
                          std::string_view data);
  void toGroupSubscribers(Origin origin, std::string_view group, Message message);
  /// A whole frame, valid until the next call.
  std::string_view workermanFrame(std::string_view event, std::string_view data);
  void send(net::ConnectionImpl& link, std::string_view frame);

  net::ConnectionTable& table_;
  EventLog& log_;
  History& history_;
  group::Registry stormoEvents_;
  group::Registry stormoGroups_;
  group::Registry workermanEvents_;

  const std::string groupEvent_;
  Subscribers groupEventSubscribers_;  // cached, because every group message needs them
  KeyedMap<std::string, std::size_t> loopTurns_;

  std::uint64_t epoch_;
  std::uint64_t offset_ = 0;
  std::string frame_;
  std::string data_;
  std::string text_;
};

}  // namespace stormo::channel
