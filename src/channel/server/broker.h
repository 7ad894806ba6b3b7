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

/// The Channel server's logic: what each link says, in either dialect, and what becomes of it. Its
/// links are the connections of endpoint(), on one loop. It writes into their output of this turn,
/// never to a socket.
class Broker final : FrameSink, JobSink {
 public:
  /// `settings` outlives the broker; only what concerns links is taken from it.
  Broker(EventLoop& loop, const Server& settings);
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  /// For listeners. Lives as long as the broker, which outlives its connections or abandons them.
  [[nodiscard]] const net::Endpoint& endpoint() const { return endpoint_; }

  /// What the next server needs to go on as if this one had not ended; and what the last one has
  /// left, before there is any link.
  void save(StateWriter& state) const;
  void load(StateReader& state);

 private:
  /// What a link has told of itself.
  struct Link {
    enum class Speaks { Nothing, Workerman, Stormo };
    Speaks speaks = Speaks::Nothing;
    Acknowledger::Link* acks = nullptr;
    // Of Stormo's dialect:
    std::uint64_t producerId = 0;  ///< Zero numbers nothing.
    ProducerTable::Publisher* publisher = nullptr;
    std::vector<Router::Subscription> again;  ///< Said, until Resume.
  };

  [[nodiscard]] static std::string_view dialectName(Link::Speaks speaks);
  bool expects(net::ConnectionImpl& peer, std::size_t frameBytes, std::string_view start) override;
  void onFrame(net::ConnectionImpl& peer, std::string_view payload) override;
  void onFirstFrame(net::ConnectionImpl& peer, Link& link, std::string_view payload);
  void onClose(net::ConnectionImpl& peer);

  // Stormo's dialect.
  void onPacket(net::ConnectionImpl& peer, Link& link, std::string_view payload);
  void onHello(net::ConnectionImpl& peer, Link& link, std::string_view payload);
  void enter(net::ConnectionImpl& peer, Link& link);
  void onResume(net::ConnectionImpl& peer, Link& link, const Packet& packet);
  /// False if it was taken already, on an earlier link.
  bool isNew(Link& link, std::uint64_t sequence);
  void onPublish(net::ConnectionImpl& peer, Link& link, const Packet& packet);
  void onPublishToGroup(net::ConnectionImpl& peer, Link& link, const Packet& packet);
  void onEnqueue(net::ConnectionImpl& peer, Link& link, const Packet& packet);
  /// A publish whose payload the Channel does not take: it is dropped, and the link lives.
  void reject(net::ConnectionImpl& peer, Link& link, std::uint64_t sequence,
              std::string_view reason);
  void refuseInWords(net::ConnectionImpl& peer, std::string_view reason);

  // Workerman's.
  void onCommand(net::ConnectionImpl& peer, std::string_view payload);

  void enqueue(std::string_view queue, std::string_view data);
  bool deliver(ConsumerId consumer, std::string_view queue, std::string_view data) override;
  void onQueueFull(std::string_view queue) override;

  void send(net::ConnectionImpl& peer, std::string_view frames);
  /// A link of Stormo's dialect receives the reason, and the sequence of the publish that has begun
  /// with `start`.
  void violation(net::ConnectionImpl& peer, std::string_view reason,
                 std::string_view start) override;
  void violation(net::ConnectionImpl& peer, std::string_view reason) {
    violation(peer, reason, {});
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
  WorkermanCommand command_;  // kept for the room of its names
  std::string scratch_;
};

}  // namespace stormo::channel
