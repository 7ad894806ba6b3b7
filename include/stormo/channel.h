#pragma once

#include <stormo/channel/job.h>
#include <stormo/channel/listener.h>
#include <stormo/channel/messages.h>
#include <stormo/result.h>
#include <stormo/tls.h>
#include <stormo/value.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace stormo {

struct ChannelOptions {
  /// Stormo's dialect: the secret of the server, at most 255 bytes. It is not sent. Not needed for
  /// the Channel of the own program.
  std::string secret = {};
  /// For `stormos://` and `frames://`.
  TlsClient tls = {};
  /// Maximum bytes that wait for their acknowledgement (Workerman's dialect: for a link, or in its
  /// output). Above it publishes return PublishStatus::Full.
  std::size_t unackedBytesMax = 64 << 20;
  /// Longest frame that the Channel accepts, in bytes, until it has stated its own limit; for good
  /// in Workerman's dialect, where servers state none.
  std::size_t frameBytesMax = 10 << 20;
  /// Time between two pings. A link that is silent for two of them is replaced. 0: no pings.
  std::chrono::milliseconds pingInterval{25'000};
  /// Workerman's dialect has no groups: this event carries their messages, as {group_id, message}.
  std::string groupEvent = "send_to_group";
};

/// This process's link to the Channel, which joins all processes: it orders the messages of groups
/// and the events, and distributes them.
///
///     Channel channel;  // in main: the Channel that this program declares (channel::Server)
///     worker.onWorkerStart = [&](Worker&) {
///       channel.subscribe("news", [](const Value& data) { … });
///       channel.connect();
///     };
///
/// The URL states the promise. Without one, and with `unix:///path` or `stormo://host:port`, it is
/// Stormo's dialect: each publish is delivered exactly once and in order to each subscriber, over
/// broken links and killed processes, as docs/delivery.md states. `frame://host:port` is
/// Workerman's dialect, to a Channel server of either make: at most once. `stormos://` and
/// `frames://` are the same with TLS.
///
/// Declare it in main, or make it in onWorkerStart. It belongs to the thread that calls connect(),
/// and to that thread's loop; it may outlive the loop. It must not be destroyed in one of its own
/// handlers. A lost link is replaced automatically: subscriptions and watches are made again, and
/// what is not acknowledged is sent again. An exception of a handler is logged, and changes nothing
/// else.
///
/// Names of events, queues and groups have 1 to 255 bytes; other ones throw std::invalid_argument.
/// Before connect() subscriptions, watches and questions are possible; publishes and requests throw
/// std::logic_error.
class Channel {
 public:
  using Names = channel::Names;
  using EventHandler = std::function<void(const Value& data)>;

  /// The URL is checked by connect().
  explicit Channel(std::string url = {}, ChannelOptions options = {});
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Starts to connect, and retries until close(). Has no effect while it is connecting or
  /// connected. Throws std::invalid_argument for a URL that is none of the above and for files of
  /// ChannelOptions::tls that cannot be used, and
  /// std::logic_error without a URL in a program that declares no channel::Server.
  void connect();
  /// Flushes and closes the link; subscriptions, watches and what is not acknowledged are kept for
  /// the next connect().
  void close();
  [[nodiscard]] bool isConnected() const;

  // --- Events: named values for the processes that subscribe to them ---

  /// Calls `handler` for each event of these names. Each name has one handler; a later call with
  /// another one replaces it. Events of names without a handler reach onEvent.
  void subscribe(const Names& events, EventHandler handler = {});
  void unsubscribe(const Names& events);
  /// To all subscribers of each of these events.
  PublishStatus publish(const Names& events, const Value& data);
  /// What became of an accepted publish; an Error if the Channel has rejected it. Called once, and
  /// never inside the call that it belongs to. Stormo's dialect only: std::logic_error.
  using ReceiptHandler = std::function<void(const Result<Receipt>& receipt)>;
  PublishStatus publish(std::string_view event, const Value& data, ReceiptHandler onReceipt);
  /// Publishes an event that the Channel also keeps until a time: a process that subscribes to the
  /// event later, or has missed events (onGap), receives the kept ones first. Each has a key: a
  /// later one of the same event and key replaces it. What is kept survives the Channel's death and
  /// restart, as its log does. Stormo's dialect only: std::logic_error.
  PublishStatus retain(std::string_view event, std::uint64_t key, const Value& data,
                       std::chrono::system_clock::time_point until, ReceiptHandler onReceipt = {});
  /// To one subscriber of each, in turn: at most once. It is lost if that process dies before it
  /// has handled the event.
  PublishStatus publishToOne(const Names& events, const Value& data);

  using ReplyHandler = std::function<void(const Result<Value>& reply)>;
  /// Publishes an event to one subscriber, in turn, and calls `onReply` once with its reply. When
  /// there is none within `timeout`, it is the error std::errc::timed_out; when the request was not
  /// accepted, std::errc::no_buffer_space (Full) or std::errc::message_size (Refused). Never calls
  /// `onReply` inside this call.
  void request(std::string_view event, const Value& data, std::chrono::milliseconds timeout,
               ReplyHandler onReply);
  /// Sends the reply to one request; callable once, and later, from any handler of this thread.
  using Responder = std::function<void(const Value& reply)>;
  using RepliesHandler = std::function<void(const Result<Replies>& replies)>;
  /// Publishes an event to all its subscribers, and calls `onReplies` once, with the replies of
  /// all, or with those that came within `timeout`. Errors as request(). Stormo's dialect only.
  void requestAll(std::string_view event, const Value& data, std::chrono::milliseconds timeout,
                  RepliesHandler onReplies);
  /// Takes the requests of that event, of both kinds. Each event has one handler in a process.
  void respond(std::string_view event,
               std::function<void(const Value& data, const Responder& reply)> handler);

  // --- Queues: each job goes to one of the processes that watch its queue; see Job ---

  /// Takes jobs of these queues, at most `atOnce` at a time for this call: the next one comes when
  /// one has ended (see Job). 0: only as many as reserve() requests.
  void watch(const Names& queues, std::function<void(channel::Job job)> handler,
             std::size_t atOnce = 1);
  void unwatch(const Names& queues);
  PublishStatus enqueue(const Names& queues, const Value& data);
  /// Requests one more job, of any watched queue.
  void reserve();

  // --- Groups: messages for members in all processes. See Groups, which is easier to use. ---

  /// From now on the messages of this group reach the listeners and onGroupMessage. Counted: the
  /// group is unsubscribed when unsubscribeGroup() was called as often.
  void subscribeGroup(std::string_view group);
  void unsubscribeGroup(std::string_view group);
  /// Calls `visit` with the name of each subscribed group. It must not subscribe or unsubscribe.
  void forEachGroup(const std::function<void(std::string_view group)>& visit) const;
  /// A duplicate of a send that the Channel has taken, by way of any process, is accepted and
  /// dropped.
  PublishStatus publishToGroup(std::string_view group, Message message, SendId send = {});
  struct GroupPublish {
    /// As GroupMessage::except; at most 65,535 bytes.
    std::string_view except = {};
    SendId send = {};
    ReceiptHandler onReceipt = {};
  };
  /// Stormo's dialect only, if `options` has an exception or a handler: std::logic_error.
  PublishStatus publishToGroup(std::string_view group, Message message, GroupPublish options);

  using HistoryHandler = std::function<void(const HistoryReply& reply)>;
  /// Requests the messages of a subscribed group since a position; with the default position only
  /// the current one. Calls `handler` once, between the messages of the group up to the reply's
  /// position and those after it; in Workerman's dialect inside this call, with an empty reply
  /// that is not whole.
  void requestHistory(std::string_view group, Position since, HistoryHandler handler);
  /// The position of the latest event that this process has received.
  [[nodiscard]] Position position() const;

  // --- Acknowledgement ---

  /// Number of publishes, jobs and ends of jobs that were accepted by this object.
  [[nodiscard]] std::uint64_t accepted() const;
  /// How many of these, from the first one on, the Channel has acknowledged: they are in its log.
  /// In Workerman's dialect, which acknowledges nothing, accepted().
  [[nodiscard]] std::uint64_t acknowledged() const;
  /// Bytes of those that are not acknowledged.
  [[nodiscard]] std::size_t unackedBytes() const;
  /// Longest frame that the Channel accepts, in bytes. A message that is 1024 bytes shorter is
  /// never Refused for its length.
  [[nodiscard]] std::size_t frameBytesMax() const;

  void ping();

  // --- Handlers ---

  /// An event of a subscribed name that has no handler of its own.
  std::function<void(std::string_view event, const Value& data)> onEvent;
  std::function<void(const GroupMessage& message)> onGroupMessage;
  /// The link is up, the first time and after each reconnect, with all subscriptions made.
  std::function<void()> onConnect;
  /// The link was lost. It is replaced automatically.
  std::function<void()> onClose;
  /// Publishes are accepted again after one was Full.
  std::function<void()> onDrain;
  std::function<void()> onAcknowledged;
  /// The Channel has rejected an accepted publish, which is dropped. `number` is what accepted()
  /// returned when it was accepted. Called before that publish counts as acknowledged.
  std::function<void(std::uint64_t number, std::string_view reason)> onRejected;
  /// Stormo's dialect: events or group messages of the subscriptions may be missing. The process
  /// was disconnected for too long, or read too slowly, or the Channel's log has a new epoch.
  std::function<void()> onGap;

  // --- For parts that are built on a Channel ---

  void addListener(channel::Listener& listener);
  void removeListener(channel::Listener& listener);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stormo
