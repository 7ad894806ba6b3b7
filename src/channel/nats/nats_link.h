#pragma once

#include <stormo/channel/cluster_settings.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "channel/cluster/stream.h"
#include "channel/nats/nats_connection.h"
#include "channel/nats/nats_mailbox.h"
#include "channel/nats/server_url.h"

namespace stormo::channel {

/// What the loop wants of the thread.
struct NatsCommand {
  enum class Kind : std::uint8_t {
    Publish,      ///< `text` is the id.
    Read,         ///< From `sequence` on, for `reader`.
    FlowControl,  ///< `text` is the subject that answers JetStream.
    Ask,
    Answer,  ///< `text` is the asker.
    Fail,    ///< Ends the link; `text` is the reason.
  };
  Kind kind = Kind::Publish;
  std::uint64_t link = 0;
  std::uint64_t reader = 0;
  std::uint64_t sequence = 0;
  std::string text = {};
  std::string payload = {};
};

/// Interval at which JetStream sends something to each reader.
inline constexpr std::chrono::seconds kHeartbeat{1};

/// What libnats' threads report about a link. Protected by the mutex of the NatsThread.
struct LinkSignals {
  bool isClosed = false;
  std::string closedReason = {};  ///< Empty: none is known.
  bool isLameDuck = false;        ///< Its server will end soon.
  std::string serverError = {};   ///< The latest one.
};

/// A connection to one server and its subscriptions, with a number: 1, 2, 3, …. Used on the thread
/// that may block.
class NatsLink {
 public:
  NatsLink(std::uint64_t number, ServerUrl server, const ClusterSettings& settings,
           std::shared_ptr<NatsMailbox> mailbox, std::unique_ptr<NatsConnection> connection,
           std::shared_ptr<LinkSignals> signals)
      : number_(number),
        server_(std::move(server)),
        settings_(settings),
        mailbox_(std::move(mailbox)),
        connection_(std::move(connection)),
        signals_(std::move(signals)) {}

  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] const ServerUrl& server() const { return server_; }
  [[nodiscard]] NatsConnection& connection() { return *connection_; }
  [[nodiscard]] LinkSignals& signals() { return *signals_; }
  StreamInfo info = {};  ///< When the link began.

  /// Subscribes to acknowledgements, questions and answers. False if the connection is lost.
  [[nodiscard]] bool subscribe();
  /// All kinds but Fail. What fails on a closed connection is lost.
  void execute(const NatsCommand& command);
  /// What was published has reached the server after this, if it was there within some time.
  void finish();

 private:
  using Subscription = std::unique_ptr<NatsConnection::Subscription>;

  void publish(const NatsCommand& command);
  void read(const NatsCommand& command);

  const std::uint64_t number_;
  const ServerUrl server_;
  const ClusterSettings& settings_;
  const std::shared_ptr<NatsMailbox> mailbox_;
  // Subscriptions end before their connection.
  const std::unique_ptr<NatsConnection> connection_;
  const std::shared_ptr<LinkSignals> signals_;
  std::string ackInbox_;
  std::string answerInbox_;
  Subscription acks_;
  Subscription questions_;
  Subscription answers_;
  Subscription created_;  // the answer to the request for a consumer
  Subscription reader_;
  bool hasPublished_ = false;
};

/// The description in JetStream's answer to a request or publish. Empty if it has no error.
[[nodiscard]] std::string errorIn(std::string_view answer);

}  // namespace stormo::channel
