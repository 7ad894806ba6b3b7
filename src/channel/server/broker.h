#pragma once

#include <stormo/channel/server.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/keyed_hash.h"
#include "channel/link/link_codec.h"
#include "channel/link/violation_log.h"
#include "channel/log/log.h"
#include "channel/server/channel_state.h"
#include "channel/server/consumers.h"
#include "channel/server/door.h"
#include "channel/server/job_admission.h"
#include "channel/server/journal.h"
#include "channel/server/own_interest.h"
#include "channel/server/router.h"
#include "channel/server/slow_links.h"
#include "net/endpoint.h"
#include "protocol/channel/workerman_command.h"

namespace stormo::channel {

/// The Channel server's logic: handles the frames of all links, in either dialect. What changes the
/// Channel's state becomes a record of the log, and takes effect when that comes back. Its links
/// are the connections of endpoint(), on one loop. It writes into their output of this turn, never
/// to a socket.
class Broker final : FrameSink, StateObserver, net::FlushObserver {
 public:
  /// `settings` outlives the broker; it uses only those that concern links. `log` and `state`, too;
  /// the log is open.
  Broker(EventLoop& loop, const Server& settings, Log& log, ChannelState& state);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  /// For listeners. Lives as long as the broker, which outlives its connections or abandons them.
  [[nodiscard]] const net::Endpoint& endpoint() const { return endpoint_; }

  /// Of links that are accepted from now on.
  void useTls(std::shared_ptr<const net::TlsContext> tls) { endpoint_.tls = std::move(tls); }

  /// Appends what has become a record since the last turn ended, before the log is finished.
  void appendRecords() { journal_.flush(); }

 private:
  /// What the broker keeps of one link. Its Dialect is a state of the link of its own.
  struct Link {
    /// Who takes jobs by this link: the producer, or a number as long as the link. 0: the link is
    /// not open, and has no dialect yet.
    ConsumerId consumer = 0;
    std::optional<ChallengeBytes> challenge;  ///< Its Hello was answered with it.
    std::uint64_t producerId = 0;             ///< Zero: publishes are not deduplicated.
    bool isDeferred = false;                  ///< Frames of this turn wait for its end.
    Journal::Acks acks;
    std::vector<std::string> again;  ///< Subscribe packets received before Resume.
  };

  /// A frame that is handled at the end of the turn, when the records before it were applied: it
  /// depends on them, or follows one that does.
  struct Deferred {
    Handle link;
    std::string payload;
  };

  /// The order of a turn, after all frames were received.
  void onFlush() override;
  void onFlushed() override;
  /// True if the frame comes again, at the end of the turn; else the records before it are applied.
  [[nodiscard]] bool defers(net::ConnectionImpl& connection, Link& link, std::string_view payload);
  void runDeferred();

  bool expects(net::ConnectionImpl& connection, std::size_t frameBytes,
               std::string_view start) override;
  void onFrame(net::ConnectionImpl& connection, std::string_view payload) override;
  /// Frames of a link that is not open.
  void onFirstFrame(net::ConnectionImpl& connection, Link& link, std::string_view payload);
  void open(net::ConnectionImpl& connection, Link& link, Dialect dialect, ConsumerId consumer);
  void onClose(net::ConnectionImpl& connection);
  void subscribe(net::ConnectionImpl& connection, Dialect dialect, Space space,
                 std::string_view name);
  void unsubscribe(net::ConnectionImpl& connection, Dialect dialect, Space space,
                   std::string_view name);
  /// The links of all nodes that are subscribed to the event.
  [[nodiscard]] std::uint64_t subscriberCount(std::string_view event) const;
  void watch(net::ConnectionImpl& connection, const Link& link, std::string_view queue);
  /// Then the job is counted as rejected.
  [[nodiscard]] bool isQueueFull(std::string_view queue, std::size_t bytes);

  // Stormo's dialect.
  void onPacket(net::ConnectionImpl& connection, Link& link, std::string_view payload);
  void onHello(net::ConnectionImpl& connection, Link& link, std::string_view payload);
  void onProof(net::ConnectionImpl& connection, Link& link, std::string_view payload);
  void welcome(net::ConnectionImpl& connection, Link& link);
  /// A packet that depends on what the link has published before.
  void onDependent(net::ConnectionImpl& connection, const Link& link, const Packet& packet);
  void onResume(net::ConnectionImpl& connection, Link& link, const Packet& packet);
  void onHistoryRequest(net::ConnectionImpl& connection, const Packet& packet);
  /// True if this log has given that position, or another node that shares it.
  [[nodiscard]] bool isKnown(const Packet& position) const;
  /// What changes the state: becomes a record.
  void onNumbered(net::ConnectionImpl& connection, Link& link, const Packet& packet,
                  std::string_view payload);
  [[nodiscard]] const char* refusalOf(const Packet& packet);
  /// Drops a publish, and keeps the link. Also this is a record: its producer may resend it.
  void reject(net::ConnectionImpl& connection, Link& link, std::uint64_t sequence,
              std::string_view reason);
  void refuse(net::ConnectionImpl& connection, std::string_view reason);
  /// States whether the log cannot be written.
  void sendPong(net::ConnectionImpl& connection);
  /// The same to all links of this dialect.
  void sendPongs();

  // Workerman's dialect.
  void onCommand(net::ConnectionImpl& connection, Link& link, std::string_view payload);
  void publish(net::ConnectionImpl& connection, Link& link, const Packet& publish);
  void enqueue(net::ConnectionImpl& connection, Link& link, std::string_view queue);

  // What records have changed.
  void onEvent(const Packet& event, std::string_view frame) override {
    router_.onEvent(event, frame);
  }
  void onEventToOne(const Packet& event) override { router_.onEventToOne(event); }
  void onJobWaiting(std::uint64_t number, std::string_view queue) override {
    consumers_.onJobWaiting(number, queue);
  }
  void onJobHanded(std::uint64_t number, const JobStore::Job& job) override {
    consumers_.onJobHanded(number, job);
  }
  void onJobMissed(ConsumerId consumer) override { consumers_.onJobMissed(consumer); }
  void onRejected(std::uint64_t producerId, std::uint64_t sequence,
                  std::string_view reason) override;
  void onReceipt(std::uint64_t producerId, const Packet& publish, std::uint64_t offset,
                 bool isDuplicate) override;
  void onJobLeft(std::uint64_t lease, ConsumerId consumer) override {
    consumers_.onJobLeft(lease, consumer);
  }
  void onNodeGone(NodeId node) override {
    if (interest_ && node == node_) interest_->forgotten();
  }
  void deliver(const JobStore::Job& job);
  /// The link of a consumer, while it is usable; else null.
  [[nodiscard]] net::ConnectionImpl* linkOf(ConsumerId consumer);

  void send(net::ConnectionImpl& connection, std::string_view frames);
  /// Logs the reason and closes the link. A link of Stormo's dialect also gets the reason, and the
  /// sequence of the publish that begins with `start`.
  void violation(net::ConnectionImpl& connection, std::string_view reason,
                 std::string_view start) override;
  void violation(net::ConnectionImpl& connection, std::string_view reason) {
    violation(connection, reason, {});
  }

  net::Reactor& reactor_;
  net::ConnectionTable& table_;
  const Server& settings_;
  ChannelState& state_;
  const NodeId node_;
  Door door_;
  LinkCodec codec_;
  net::Endpoint endpoint_;
  Journal journal_;
  JobAdmission jobAdmission_;
  Router router_;
  SlowLinks slowLinks_;
  Consumers consumers_;
  std::optional<OwnInterest> interest_;  // if the log is shared
  KeyedMap<ConsumerId, ConnectionId> links_;
  std::vector<Deferred> deferred_;
  bool isAtEnd_ = false;  // the deferred frames are handled
  ViolationLog violationLog_;
  WorkermanCommand command_;  // reused for its vector of names
  std::string scratch_;
};

}  // namespace stormo::channel
