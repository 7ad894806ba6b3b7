#pragma once

#include <stormo/channel/messages.h>
#include <stormo/value.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace stormo {
class Channel;
}

namespace stormo::channel {

/// One Channel for each worker process, with static functions, as Workerman's Channel\Client has
/// them; the class stormo::Channel is the same as an object, and more. Connect in onWorkerStart.
///
/// Names have 1 to 255 bytes; other ones throw std::invalid_argument. Calls before connect() throw
/// std::logic_error. An exception of a handler is logged, and changes nothing else.
class Client {
 public:
  using EventHandler = std::function<void(const Value& data)>;

  // Set before connect(). See ChannelOptions.
  static inline std::chrono::milliseconds pingInterval{25'000};
  static inline std::size_t unackedBytesMax = 64 << 20;
  static inline std::string secret;

  /// Each of the three has no effect while there is a connection, or an attempt. Without arguments:
  /// to the Channel that this program declares, exactly once and in order. With a URL: see Channel.
  static void connect(std::string_view url = {});
  /// To Stormo's Channel at a host, exactly once and in order.
  static void connect(std::string_view host, std::uint16_t port);
  /// To a Channel server of PHP Workerman, or to Stormo's, in Workerman's dialect: at most once.
  static void connectWorkerman(std::string_view host = "127.0.0.1", std::uint16_t port = 2206);
  /// Closes the link and forgets all handlers.
  static void disconnect();
  [[nodiscard]] static bool isConnected();

  /// Subscribes, and calls `handler` for each event of that name. Each name has one handler; a
  /// later call replaces it.
  static void on(std::string_view event, EventHandler handler);
  /// Subscribes; events without a handler of their own reach onMessage.
  static void subscribe(const Names& events);
  static void unsubscribe(const Names& events);

  /// To all subscribers of each of these events.
  static PublishStatus publish(const Names& events, const Value& data);
  /// To one subscriber of each, in turn: at most once, as Channel::publishToOne().
  static PublishStatus publishLoop(const Names& events, const Value& data);

  /// Takes jobs of these queues, one at a time: the next one comes when `handler` has returned, or,
  /// with `autoReserve` off, after reserve(). A job is done when `handler` has returned; one whose
  /// process dies before goes to another process. Channel::watch() has jobs that end later.
  static void watch(const Names& queues, EventHandler handler, bool autoReserve = true);
  static void unwatch(const Names& queues);
  static PublishStatus enqueue(const Names& queues, const Value& data);
  /// Requests one more job, of any watched queue.
  static void reserve();

  static void ping();

  /// The Channel that these functions use, for everything that they lack. Valid until disconnect().
  [[nodiscard]] static Channel& channel();

  // Handlers, as Channel's.
  static inline std::function<void(std::string_view event, const Value& data)> onMessage;
  static inline std::function<void()> onConnect;
  static inline std::function<void()> onClose;
  static inline std::function<void()> onGap;
};

}  // namespace stormo::channel
