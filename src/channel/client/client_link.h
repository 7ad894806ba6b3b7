#pragma once

#include <stormo/channel.h>
#include <stormo/timer.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "channel/client/client_dialect.h"
#include "channel/link/link_codec.h"
#include "channel/link/violation_log.h"
#include "event/call_handler.h"
#include "event/process_life.h"
#include "net/persistent_connection.h"

namespace stormo::channel {

/// A process's link to a Channel server. It is replaced when it is lost, as long as this object
/// exists: after 50 ms at first, then at most every 2 s; subscriptions and watches are made again
/// on each new one. Its dialect does what differs between the two protocols.
///
/// Used on the thread that made it and on its loop. May be destroyed after the loop, but not in its
/// own handlers. Handlers are set before connect(); an exception of one is logged and counted.
class ClientLink : FrameSink {
 public:
  using Names = ClientDialect::Names;

  /// `unix:///path` and `stormo://host:port`: Stormo's dialect. `frame://host:port`: Workerman's.
  /// Throws std::invalid_argument for any other URL and for a secret that is too long.
  explicit ClientLink(std::string_view url, ChannelOptions options = {});
  ~ClientLink();
  ClientLink(const ClientLink&) = delete;
  ClientLink& operator=(const ClientLink&) = delete;

  void connect();
  void close();
  [[nodiscard]] bool isConnected() const { return isUp_; }

  // --- Operations, as those of Channel ---

  // Names whose state does not change are not sent.
  void subscribe(const Names& events);
  void unsubscribe(const Names& events);
  void watch(const Names& queues);
  void unwatch(const Names& queues);
  /// Requests one more job, unless an earlier one came without a reservation.
  void reserve();
  /// The process ends: requests no more jobs, and enqueues again those in flight to it. Until the
  /// last of them has arrived this counts as unfinished work of the loop.
  void stopTakingJobs();
  void ping();
  /// The operations that depend on the dialect.
  [[nodiscard]] ClientDialect& dialect() const { return *dialect_; }

  // --- Handlers ---

  std::function<void(std::string_view event, const Value& data)> onEvent;
  std::function<void(std::uint64_t number, std::string_view queue, const Value& data)> onJob;
  std::function<void(const GroupMessage& message)> onGroupMessage;
  std::function<void()> onAcknowledged;
  std::function<void(std::uint64_t number, std::string_view reason)> onRejected;
  std::function<void()> onGap;
  std::function<void()> onConnect;
  std::function<void()> onClose;
  std::function<void()> onDrain;

  // --- For its dialect ---

  /// The connection is usable: makes all subscriptions, sends the kept publishes, calls onConnect.
  void becomeUp();
  /// The Channel states whether its log cannot be written. Counted until the link is lost.
  void setBlocked(bool isBlocked);
  [[nodiscard]] bool isBlocked() const { return isBlocked_; }
  /// Appends frames to the output of the connection, without a limit. There must be one.
  void send(std::string_view frames);
  /// False after stopTakingJobs().
  [[nodiscard]] bool takesJobs() const { return takesJobs_; }
  [[nodiscard]] net::ConnectionImpl* connection() const { return connection_.connection(); }
  /// A publish was refused as Full: onDrain must follow.
  void owesDrain() { owesDrain_ = true; }
  [[nodiscard]] bool isDrainOwed() const { return owesDrain_; }
  /// There is room again: calls onDrain if it must follow.
  void drained();
  /// The server broke the protocol: logs the reason, and replaces the link.
  void violation(std::string_view reason);
  /// Closes the connection, which is then replaced.
  void drop(std::string_view reason);
  void jobReceived(std::uint64_t number, std::string_view queue, std::string_view data);
  /// Sends the reservations that no job has answered. On a new link, once.
  void sendReservations();
  void eventReceived(std::string_view event, std::string_view data);
  /// Calls a handler with these arguments, unless it is empty.
  template <typename Handler, typename... Arguments>
  void call(const char* name, const Handler& handler, const Arguments&... arguments) {
    if (handler && !callHandler(name, [&] { handler(arguments...); })) countError();
  }
  /// The names given to subscribe(), in that order.
  [[nodiscard]] const Names& events() const { return events_; }
  [[nodiscard]] bool isSubscribed(std::string_view event) const;
  /// It was subscribed when the last link was up, and has not been unsubscribed since.
  [[nodiscard]] bool wasSubscribed(const std::string& event) const;
  [[nodiscard]] const SocketUrl& url() const { return url_; }
  [[nodiscard]] const ChannelOptions& options() const { return options_; }

 private:
  void onFrame(net::ConnectionImpl& connection, std::string_view payload) final;
  void violation(net::ConnectionImpl& connection, std::string_view reason,
                 std::string_view start) final;
  /// Of this process's links in this dialect, for `status`.
  [[nodiscard]] LinkCounters& counters() const;
  void awaitOwnChannel();
  void awaitNoMore();
  void onLost();
  void onTick();
  void sendRequest(LinkRequest request, const Names& names);
  void endFence();
  void reportFailure(const Error& error);
  static void countError();

  const SocketUrl url_;
  const ChannelOptions options_;
  LinkCodec codec_;
  net::PersistentConnection connection_;
  std::unique_ptr<ClientDialect> dialect_;
  Timer::Id tick_ = 0;
  TimePoint lastTickAt_{};
  std::uint64_t bytesReadAtTick_ = 0;
  int silentTicks_ = 0;  // in a row, on this connection
  bool isUp_ = false;
  bool isBlocked_ = false;  // never while it is not up
  bool failureReported_ = false;
  bool isWanted_ = false;  // connect() was called, and close() was not since
  ViolationLog violationLog_;
  bool hasBeenUp_ = false;
  bool isAwaited_ = false;  // the process is not ready before the link is up

  Names events_;      // in the order of their subscription, as all names here
  Names lastEvents_;  // of them, those that the last link had
  Names queues_;
  std::uint64_t reservations_ = 0;    // sent, and not answered by a job yet
  std::uint64_t unreservedJobs_ = 0;  // received beyond the reservations; each uses the next one

  bool takesJobs_ = true;
  UnfinishedWork fenceWork_;  // while there is a fence
  std::string fence_;  // an event of this process that arrives after the last job; empty: none

  bool owesDrain_ = false;
  std::string scratch_;
};

}  // namespace stormo::channel
