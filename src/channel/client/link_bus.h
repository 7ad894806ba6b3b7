#pragma once

#include <stormo/timer.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "channel/client/bus.h"
#include "channel/link/link_codec.h"
#include "channel/link/violation_log.h"
#include "event/process_life.h"
#include "net/persistent_connection.h"

namespace stormo::channel {

/// The part that all dialects share: one link to a Channel server, which is replaced when it is
/// lost, and the subscriptions and watches that are made again on each new link.
class LinkBus : public Bus, FrameSink {
 public:
  void connect() final;
  void close() final;
  [[nodiscard]] bool isConnected() const final { return isUp_; }

  // Names whose state does not change are not sent.
  void subscribe(const std::vector<std::string>& events) final;
  void unsubscribe(const std::vector<std::string>& events) final;
  void watch(const std::vector<std::string>& queues) final;
  void unwatch(const std::vector<std::string>& queues) final;
  void reserve() final;
  void stopTakingJobs() final;
  void ping() final;

 protected:
  using Names = std::vector<std::string>;

  LinkBus(SocketUrl url, const BusOptions& options);
  ~LinkBus() override;

  // --- Implemented by a dialect ---

  virtual void onLinkMade() = 0;
  virtual void onPayload(std::string_view payload) = 0;
  /// Each appends its frames to `out`. Names are not empty.
  virtual void writeSubscribe(const Names& events, std::string& out) = 0;
  virtual void writeUnsubscribe(const Names& events, std::string& out) = 0;
  virtual void writeWatch(const Names& queues, std::string& out) = 0;
  virtual void writeUnwatch(const Names& queues, std::string& out) = 0;
  virtual void writeReserve(std::string& out) = 0;
  virtual void writePing(std::string& out) = 0;
  /// All subscriptions, events() and groups, for a new link.
  virtual void writeSubscriptions(std::string& out) = 0;
  /// Sends the publishes that were not sent on this link. Called once, when the link is up.
  virtual void sendKept() = 0;
  virtual void onLinkLost() {}
  /// Its name, for the log.
  [[nodiscard]] virtual std::string_view dialect() const = 0;
  /// True if the server answers a ping.
  [[nodiscard]] virtual bool expectsPong() const = 0;

  // --- Used by a dialect ---

  /// The link is usable: makes all subscriptions, sends the kept publishes, calls onConnect.
  void becomeUp();
  /// Appends frames to the output of the link, without a limit. There must be a link.
  void send(std::string_view frames);
  [[nodiscard]] net::ConnectionImpl* link() const { return connection_.connection(); }
  /// A publish was refused as Full: onDrain must follow.
  void owesDrain() { owesDrain_ = true; }
  [[nodiscard]] bool isDrainOwed() const { return owesDrain_; }
  /// There is room again: calls onDrain if it must follow.
  void drained();
  /// The server broke the protocol: logs the reason, and replaces the link.
  void violation(std::string_view reason);
  /// Closes the link, which is then replaced.
  void dropLink(std::string_view reason);
  void jobReceived(std::string_view queue, std::string_view data);
  void eventReceived(std::string_view event, std::string_view data);
  void groupMessageReceived(const GroupMessage& message);
  void repeatReceived(std::string_view group);
  void historyReplyReceived(const HistoryHandler& handler, const HistoryReply& reply);
  void acknowledgedReceived();
  void rejectedReceived(std::uint64_t number, std::string_view reason);
  void gapReceived();
  /// The names given to subscribe(), in that order.
  [[nodiscard]] const Names& events() const { return events_; }
  [[nodiscard]] bool isSubscribed(std::string_view event) const;
  /// It was subscribed on the last link that was up, and has not been unsubscribed since.
  [[nodiscard]] bool wasSubscribed(const std::string& event) const;
  [[nodiscard]] const SocketUrl& url() const { return url_; }
  [[nodiscard]] const BusOptions& options() const { return options_; }

 private:
  void onFrame(net::ConnectionImpl& peer, std::string_view payload) final;
  void violation(net::ConnectionImpl& peer, std::string_view reason, std::string_view start) final;
  /// Of this process's links in this dialect, for `status`.
  [[nodiscard]] LinkCounters& counters() const;
  void awaitOwnChannel();
  void awaitNoMore();
  void onLost();
  void onTick();
  void giveBack(std::string_view queue, const Value& data);
  void endFence();
  void reportFailure(const Error& error);
  template <typename Call>
  void guarded(const char* kind, const Call& call);

  const SocketUrl url_;
  const BusOptions options_;
  LinkCodec codec_;
  net::PersistentConnection connection_;
  Timer::Id tick_ = 0;
  TimePoint lastTickAt_{};
  std::uint64_t bytesReadAtTick_ = 0;
  int silentTicks_ = 0;  // in a row, on this link
  bool isUp_ = false;
  bool failureReported_ = false;
  bool isWanted_ = false;  // connect() was called, and close() was not since
  ViolationLog violationLog_;
  bool hasBeenUp_ = false;
  bool isAwaited_ = false;  // the process is not ready before the link is up

  Names events_;      // in the order of their subscription, as all names here
  Names lastEvents_;  // of them, those that the last link had
  Names queues_;
  std::uint64_t reservations_ = 0;  // sent, and not answered by a job yet

  bool takesJobs_ = true;
  UnfinishedWork fenceWork_;  // while there is a fence
  std::string fence_;  // an event of this process that arrives after the last job; empty: none

  bool owesDrain_ = false;
  std::string scratch_;
};

}  // namespace stormo::channel
