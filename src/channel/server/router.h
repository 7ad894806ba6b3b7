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

/// Who published; zero of both: a link that does not say.
struct Origin {
  std::uint64_t producerId = 0;
  std::uint64_t sequence = 0;
};

/// Who is subscribed to what, and the way of an event to all of them: it is written once for each
/// dialect, into a batch that its subscribers share, and leaves in the flush of this turn.
///
/// There are two spaces of names, events and groups; one event, `groupEvent`, joins them: what is
/// published there reaches the subscribers of the group that it names, and what is published to any
/// group reaches its subscribers.
class Router {
 public:
  struct Subscription {
    Space space;
    std::string name;
  };

  /// `log` holds what was routed, for links that were away, and `history` of groups, for clients
  /// that were. Both outlive this.
  Router(EventLoop& loop, std::string groupEvent, EventLog& log, History& history);
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // A link that closes is unsubscribed by itself. Names are of valid length.
  void subscribe(net::ConnectionImpl& link, Dialect dialect, Space space, std::string_view name);
  void unsubscribe(net::ConnectionImpl& link, Dialect dialect, Space space, std::string_view name);
  /// A link of Stormo's dialect takes up again what it was subscribed to, behind the event `offset`
  /// of this epoch: what came since is written first. False if that is not all there any more.
  bool resume(net::ConnectionImpl& link, const std::vector<Subscription>& subscriptions,
              std::uint64_t offset);

  /// Answers with what was said in the group since that position: to the link of its subscriber,
  /// between what comes before and after it.
  void requestHistory(net::ConnectionImpl& link, std::string_view group, std::uint64_t epoch,
                      std::uint64_t offset);

  /// `data` is one serialized value.
  void publishEvent(Origin origin, std::string_view event, std::string_view data);
  /// To one subscriber, in turn. This reaches no groups.
  void publishLoop(Origin origin, std::string_view event, std::string_view data);
  void publishToGroup(Origin origin, std::string_view group, Message message);

  void save(StateWriter& state) const;
  /// Goes on where another one has ended: before anything is published here.
  void load(StateReader& state);

  /// Of this router's life: what came in another one is not comparable.
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  /// Of the latest event.
  [[nodiscard]] const std::uint64_t& offset() const { return offset_; }

 private:
  /// The subscribers of one event, by what they speak. Null: none.
  struct Subscribers {
    group::Group* stormo = nullptr;
    group::Group* workerman = nullptr;
  };

  /// True only if nothing was said in the group after `offset`; it does not look far for that.
  [[nodiscard]] bool wasSilentSince(std::uint64_t offset, std::string_view group) const;
  group::Registry& registryOf(Dialect dialect, Space space);
  [[nodiscard]] Packet nextEvent(Origin origin, Space space, std::string_view channel,
                                 PayloadKind kind, std::string_view payload);
  /// Appends the event to the log. Returns its frame, which stays there.
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
  Subscribers groupEventSubscribers_;  // always at hand: every group message asks for them
  KeyedMap<std::string, std::size_t> loopTurns_;

  std::uint64_t epoch_;
  std::uint64_t offset_ = 0;
  std::string frame_;
  std::string data_;
  std::string text_;
};

}  // namespace stormo::channel
