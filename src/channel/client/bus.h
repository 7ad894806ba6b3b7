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

/// A process's connection to a Channel, in the dialect that its URL selects; see makeBus().
/// Used on the thread that made it and on its loop. May be destroyed after the loop, but not in its
/// own handlers. Handlers are set before connect(); an exception of one is logged and counted.
/// Names have 1 to 255 bytes.
class Bus {
 public:
  virtual ~Bus() = default;
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  /// Starts to connect, and retries. Subscriptions and watches are made again on each new link.
  virtual void connect() = 0;
  /// Flushes and closes the link, and makes no new one until connect().
  virtual void close() = 0;
  [[nodiscard]] virtual bool isConnected() const = 0;

  // --- Groups: messages for members of a group, wherever they are ---

  /// From now on messages of that group reach onGroupMessage.
  virtual void subscribeGroup(std::string_view name) = 0;
  virtual void unsubscribeGroup(std::string_view name) = 0;
  /// A send that its session has published before, through any process, is not published again and
  /// counts as accepted.
  virtual PublishStatus publishToGroup(std::string_view name, Message message,
                                       SendId send = {}) = 0;
  /// May also be called for groups that are not subscribed.
  std::function<void(const GroupMessage& message)> onGroupMessage;
  /// A resent duplicate in that group was dropped. position() has advanced.
  std::function<void(std::string_view group)> onRepeat;

  using HistoryHandler = std::function<void(const HistoryReply& reply)>;
  /// See Channel::requestHistory(). In Workerman's dialect the handler is called inside this call,
  /// with an empty reply.
  virtual void requestHistory(std::string_view group, Position since, HistoryHandler handler) = 0;
  /// The position of the latest event that this process has received.
  [[nodiscard]] virtual Position position() const = 0;

  /// Longest frame that the Channel accepts, in bytes. A message of so many bytes, less
  /// kFrameOverheadBytesMax, is not refused for its length.
  [[nodiscard]] virtual std::size_t frameBytesMax() const = 0;

  // --- Acknowledgement ---

  /// The number of accepted publishes and jobs, and the number of these, from the first one on,
  /// that the Channel has acknowledged.
  [[nodiscard]] virtual std::uint64_t accepted() const = 0;
  [[nodiscard]] virtual std::uint64_t acknowledged() const = 0;
  std::function<void()> onAcknowledged;
  /// An accepted publish was dropped: the Channel rejected it, or its limit is lower than before.
  /// Called before its acknowledgement. `number` is what accepted() was when it was accepted.
  std::function<void(std::uint64_t number, std::string_view reason)> onRejected;
  /// Bytes that were accepted and not acknowledged; in Workerman's dialect, that the kernel has not
  /// accepted.
  [[nodiscard]] virtual std::size_t unacknowledgedBytes() const = 0;

  // --- Events and queues, as Channel has them ---

  virtual void subscribe(const std::vector<std::string>& events) = 0;
  virtual void unsubscribe(const std::vector<std::string>& events) = 0;
  virtual PublishStatus publish(const std::vector<std::string>& events, const Value& data,
                                bool loop) = 0;
  virtual void watch(const std::vector<std::string>& queues) = 0;
  virtual void unwatch(const std::vector<std::string>& queues) = 0;
  virtual PublishStatus enqueue(const std::vector<std::string>& queues, const Value& data) = 0;
  /// Requests one more job, of any watched queue. Lapses when no queue is watched any more.
  virtual void reserve() = 0;
  /// The process ends: requests no more jobs, and enqueues again those in flight to it. Until the
  /// last of them has arrived this counts as unfinished work of the loop.
  virtual void stopTakingJobs() = 0;
  virtual void ping() = 0;
  std::function<void(std::string_view event, const Value& data)> onEvent;
  std::function<void(std::string_view queue, const Value& data)> onJob;

  /// This process has missed events or group messages of its subscriptions.
  std::function<void()> onGap;
  /// The link is up, with all subscriptions made; the link was lost.
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
  /// For dialects without groups: the event that carries {group_id, message}.
  std::string groupEvent = "send_to_group";
};

/// Reconnects as long as it exists: after 50 ms at first, then at most every 2 s.
/// `unix:///path` and `stormo://host:port`: Stormo's dialect. `frame://host:port`: Workerman's.
/// Throws std::invalid_argument for any other.
std::unique_ptr<Bus> makeBus(std::string_view url, const BusOptions& options = {});

}  // namespace stormo::channel
