#pragma once

#include <stormo/channel/server.h>

#include <string>
#include <string_view>

#include "channel/link/link_codec.h"
#include "channel/link/violation_log.h"
#include "channel/server/acknowledger.h"
#include "channel/server/back_pressure.h"
#include "channel/server/event_log.h"
#include "channel/server/history.h"
#include "channel/server/job_queue.h"
#include "channel/server/producer_table.h"
#include "channel/server/router.h"
#include "channel/server/session_table.h"
#include "net/endpoint.h"
#include "protocol/channel/workerman_command.h"

namespace stormo::channel {

/// The Channel server's logic: handles the frames of all links, in either dialect. Its links are
/// the connections of endpoint(), on one loop. It writes into their output of this turn, never to a
/// socket.
class Broker final : FrameSink, JobSink {
 public:
  /// `settings` outlives the broker. Uses only the settings that concern links.
  Broker(EventLoop& loop, const Server& settings);
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  /// For listeners. Lives as long as the broker, which outlives its connections or abandons them.
  [[nodiscard]] const net::Endpoint& endpoint() const { return endpoint_; }

  /// Saves or loads the state that the next server needs to resume: epoch, replay window,
  /// histories, producers and sessions. Queued jobs are not saved. load() is called before the
  /// first link.
  void save(StateWriter& state) const;
  void load(StateReader& state);

 private:
  enum class LinkDialect { Unknown, Workerman, Stormo };

  /// State of one link.
  struct Link {
    LinkDialect dialect = LinkDialect::Unknown;
    Acknowledger::Link* acks = nullptr;
    // Only in Stormo's dialect:
    std::uint64_t producerId = 0;  ///< Zero: publishes are not numbered.
    ProducerTable::Producer* producer = nullptr;
    std::vector<Router::Subscription> again;  ///< Received before Resume.
  };

  [[nodiscard]] static std::string_view dialectName(LinkDialect dialect);
  bool expects(net::ConnectionImpl& connection, std::size_t frameBytes,
               std::string_view start) override;
  void onFrame(net::ConnectionImpl& connection, std::string_view payload) override;
  void onFirstFrame(net::ConnectionImpl& connection, Link& link, std::string_view payload);
  void onClose(net::ConnectionImpl& connection);

  // Stormo's dialect.
  void onPacket(net::ConnectionImpl& connection, Link& link, std::string_view payload);
  void onHello(net::ConnectionImpl& connection, Link& link, std::string_view payload);
  void enter(net::ConnectionImpl& connection, Link& link);
  void onResume(net::ConnectionImpl& connection, Link& link, const Packet& packet);
  /// False for a duplicate, which was already routed when it came over an earlier link.
  bool isNew(Link& link, std::uint64_t sequence);
  void onPublish(net::ConnectionImpl& connection, Link& link, const Packet& packet);
  void onPublishToGroup(net::ConnectionImpl& connection, Link& link, const Packet& packet);
  void onEnqueue(net::ConnectionImpl& connection, Link& link, const Packet& packet);
  /// Drops a publish with an invalid payload, and keeps the link.
  void reject(net::ConnectionImpl& connection, Link& link, std::uint64_t sequence,
              std::string_view reason);
  void refuse(net::ConnectionImpl& connection, std::string_view reason);

  // Workerman's dialect.
  void onCommand(net::ConnectionImpl& connection, std::string_view payload);

  void enqueue(std::string_view queue, std::string_view data);
  bool deliver(ConsumerId consumer, std::string_view queue, std::string_view data) override;
  void onQueueFull(std::string_view queue) override;

  void send(net::ConnectionImpl& connection, std::string_view frames);
  /// Logs the reason and closes the link. A link of Stormo's dialect also gets the reason, and the
  /// sequence of the publish that begins with `start`.
  void violation(net::ConnectionImpl& connection, std::string_view reason,
                 std::string_view start) override;
  void violation(net::ConnectionImpl& connection, std::string_view reason) {
    violation(connection, reason, {});
  }

  net::ConnectionTable& table_;
  const Server& settings_;
  LinkCodec codec_;
  net::Endpoint endpoint_;
  BackPressure backPressure_;
  EventLog log_;
  History history_;
  Router router_;
  Acknowledger acknowledger_;
  ProducerTable producers_;
  SessionTable sessions_;
  JobQueues queues_;
  ViolationLog violationLog_;
  WorkermanCommand command_;  // reused for its vector of names
  std::string scratch_;
};

}  // namespace stormo::channel
