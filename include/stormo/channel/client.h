#pragma once

#include <stormo/channel/messages.h>
#include <stormo/value.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace stormo::channel {

/// One or several channel names.
class Names {
 public:
  Names(const char* name) : names_{name} {}
  Names(std::string_view name) : names_{std::string(name)} {}
  Names(const std::string& name) : names_{name} {}
  Names(std::initializer_list<std::string> names) : names_(names) {}
  Names(std::vector<std::string> names) : names_(std::move(names)) {}
  [[nodiscard]] const std::vector<std::string>& all() const { return names_; }

 private:
  std::vector<std::string> names_;
};

/// This process's link to the Channel, as Workerman's Channel\Client: static, one per worker
/// process. Connect in onWorkerStart; everything else may be called before the link is up. A lost
/// link is made again, with all subscriptions and watches; what is published meanwhile is kept, and
/// sent when it is back.
///
/// Names are 1 to 255 bytes; other ones throw std::invalid_argument. Calls before connect() throw
/// std::logic_error. What an event's handler throws is logged; the link lives.
class Client {
 public:
  using EventHandler = std::function<void(const Value& data)>;

  // Set before connect().
  static inline std::chrono::milliseconds pingInterval{25'000};
  /// Of what the Channel has not acknowledged; in Workerman's dialect, of what waits for a link.
  static inline std::size_t keptBytesMax = 64 << 20;
  static inline std::string secret;  ///< Stormo's dialect: what the server asks for.

  /// In Workerman's dialect, to a Channel server of either make. No-op when connected already.
  static void connect(std::string_view host = "127.0.0.1", std::uint16_t port = 2206);
  /// The URL says the dialect, and with it what is promised: `frame://host:port` is Workerman's (at
  /// most once), `stormo://host:port` and `unix:///path` are Stormo's (once and in order, over
  /// broken links and killed servers: docs/delivery.md). Throws std::invalid_argument for any
  /// other.
  static void connectUrl(std::string_view url);
  /// Closes the link and forgets all handlers.
  static void disconnect();
  [[nodiscard]] static bool isConnected();

  /// Subscribes, and calls `handler` for each event of that channel. One handler a channel: the
  /// last counts.
  static void on(std::string_view event, EventHandler handler);
  /// Subscribes; the events reach onMessage, if they have no handler of their own.
  static void subscribe(const Names& events);
  static void unsubscribe(const Names& events);

  /// To all subscribers of each of these channels.
  static PublishStatus publish(const Names& events, const Value& data);
  /// To one subscriber of each, in turn.
  static PublishStatus publishLoop(const Names& events, const Value& data);

  /// Takes jobs of these queues, one at a time: the next comes when `handler` returned, or, with
  /// `autoReserve` off, after reserve().
  static void watch(const Names& queues, EventHandler handler, bool autoReserve = true);
  static void unwatch(const Names& queues);
  static PublishStatus enqueue(const Names& queues, const Value& data);
  /// Asks for one more job, from any watched queue.
  static void reserve();

  static void ping();

  /// Events of subscribed channels that have no handler of their own.
  static inline std::function<void(std::string_view event, const Value& data)> onMessage;
  static inline std::function<void()>
      onConnect;  ///< Also after each reconnect, with everything restored.
  static inline std::function<void()> onClose;  ///< The link was lost.
  /// Stormo's dialect: this process was away for too long, and events of what it is subscribed to
  /// are lost to it.
  static inline std::function<void()> onGap;
};

}  // namespace stormo::channel
