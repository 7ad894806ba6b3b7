#pragma once

#include <stormo/channel/messages.h>
#include <stormo/message.h>
#include <stormo/value.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/channel/packet.h"

namespace stormo::channel {

/// A process's way to all others. What carries it is chosen by URL; see makeBus().
/// Lives on the loop of the thread that made it, and may be destroyed after it, but not in its own
/// handlers. These are set before connect(); what they throw is logged and counted, and the link
/// lives. Names are 1 to 255 bytes.
class Bus {
 public:
  virtual ~Bus() = default;
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  /// Starts to connect, and goes on trying. Subscriptions and watches are made again on each new
  /// link.
  virtual void connect() = 0;
  /// Flushes and closes the link, and makes no other until connect().
  virtual void close() = 0;
  [[nodiscard]] virtual bool isConnected() const = 0;

  // --- Groups: messages for members of a group, wherever they are ---

  /// From now on messages of that group come to onGroupMessage.
  virtual void subscribeGroup(std::string_view name) = 0;
  virtual void unsubscribeGroup(std::string_view name) = 0;
  /// A send that its session has published before, through any process, is not published again and
  /// counts as accepted.
  virtual PublishStatus publishToGroup(std::string_view name, Message message,
                                       SendId send = {}) = 0;
  /// May be called for groups that are not subscribed, too.
  std::function<void(const GroupMessage& message)> onGroupMessage;
  /// A message of that group was said again to a new Channel server, and is not given again; but it
  /// has moved position().
  std::function<void(std::string_view group)> onRepeat;

  using HistoryHandler = std::function<void(const HistoryReply& reply)>;
  /// Asks what was said in a subscribed group since a position; since none: only for the position
  /// now. The answer comes, once, between the messages of the group up to its position and those
  /// behind it; it may come before this returns. A Channel without histories knows no position, and
  /// nothing that is whole.
  virtual void requestHistory(std::string_view group, Position since, HistoryHandler handler) = 0;
  /// Of the latest event that this process has had.
  [[nodiscard]] virtual Position position() const = 0;

  /// Longest frame that the Channel accepts, in bytes. A message of so many bytes, less
  /// kFrameOverheadBytesMax, is not refused for its length.
  [[nodiscard]] virtual std::size_t frameBytesMax() const = 0;

  // --- How far publishing has got ---

  /// How many publishes and jobs were accepted, and how many of these, from the first on, are in
  /// the Channel's care: passed on to all that were to get them.
  [[nodiscard]] virtual std::uint64_t accepted() const = 0;
  [[nodiscard]] virtual std::uint64_t acknowledged() const = 0;
  std::function<void()> onAcknowledged;
  /// An accepted publish was dropped: the Channel rejected it, or accepts less than it did. Comes
  /// before its acknowledgement. `number` is what accepted() was when it was accepted.
  std::function<void(std::uint64_t number, std::string_view reason)> onRejected;
  /// What was accepted and is not in the Channel's care, or, where it acknowledges nothing, not in
  /// the kernel's.
  [[nodiscard]] virtual std::size_t unacknowledgedBytes() const = 0;

  // --- Events and queues, as channel::Client has them ---

  virtual void subscribe(const std::vector<std::string>& events) = 0;
  virtual void unsubscribe(const std::vector<std::string>& events) = 0;
  virtual PublishStatus publish(const std::vector<std::string>& events, const Value& data,
                                bool loop) = 0;
  virtual void watch(const std::vector<std::string>& queues) = 0;
  virtual void unwatch(const std::vector<std::string>& queues) = 0;
  virtual PublishStatus enqueue(const std::vector<std::string>& queues, const Value& data) = 0;
  /// One more job, of any watched queue. Lapses if no queue is watched any more.
  virtual void reserve() = 0;
  /// The process ends: asks for no more jobs, and enqueues again those that were on their way.
  /// Until the last of them has arrived this counts as unfinished work of the loop.
  virtual void stopTakingJobs() = 0;
  virtual void ping() = 0;
  std::function<void(std::string_view event, const Value& data)> onEvent;
  std::function<void(std::string_view queue, const Value& data)> onJob;

  /// Events and group messages of what is subscribed were lost to this process.
  std::function<void()> onGap;
  /// The link is up, with everything restored; it was lost.
  std::function<void()> onConnect;
  std::function<void()> onClose;
  /// Publishes are accepted again after one was Full.
  std::function<void()> onDrain;

 protected:
  Bus() = default;
};

struct BusOptions {
  std::string secret = {};
  std::size_t keptBytesMax = 64 << 20;
  /// Longest frame that the Channel accepts, in bytes. Stormo's dialect: until its Welcome states
  /// it. The default is that of Stormo's server and of Workerman's.
  std::size_t frameBytesMax = kDefaultFrameBytesMax;
  std::chrono::milliseconds pingInterval{25'000};
  /// Of dialects without groups: the event that carries {group_id, message}.
  std::string groupEvent = "send_to_group";
};

/// Reconnects for as long as it lives: soon at first, then every two seconds.
/// `unix:///path` and `stormo://host:port`: Stormo's dialect. `frame://host:port`: Workerman's.
/// Throws std::invalid_argument for any other.
std::unique_ptr<Bus> makeBus(std::string_view url, const BusOptions& options = {});

}  // namespace stormo::channel
