#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "integration/cluster_ledger.h"
#include "integration/harness/client_swarm.h"

namespace stormo::integration {

/// A client of stormo.v1 that is a member of one group, over any number of connections to any
/// servers: as web/stormo.js it joins again with its position, and resends in its session what has
/// no reply.
class RoamingMember {
 public:
  using Json = nlohmann::json;

  RoamingMember(ClientSwarm& swarm, ClusterLedger& ledger, std::size_t group);

  /// Begins a connection to that server. What the previous one still brings is dropped.
  void connect(std::uint16_t port);
  /// Ends the connection without a closing handshake.
  void drop() { swarm_.drop(connection_.value()); }
  /// Call it in each turn.
  void advance();
  /// A message of the connection with that id.
  void onMessage(const std::string& text);
  /// Sends the next message of the ledger to its group, or keeps it for the next connection.
  void send();

  [[nodiscard]] std::optional<ClientSwarm::Id> connection() const { return connection_; }
  [[nodiscard]] bool isDisconnected() const {
    return !connection_ || swarm_[*connection_].isClosed();
  }
  /// A member at the moment.
  [[nodiscard]] bool hasJoined() const { return hasJoined_; }
  [[nodiscard]] std::size_t unacknowledged() const { return kept_.size(); }

 private:
  void begin();
  void onReply(const Json& reply);
  void onJoined(const Json& reply);
  void resend(std::uint64_t id, const std::string& text);
  void request(Json command, std::uint64_t id);

  ClientSwarm& swarm_;
  ClusterLedger& ledger_;
  const ClusterLedger::Member member_;
  const std::string group_;
  const std::string session_;
  std::optional<ClientSwarm::Id> connection_;
  bool hasBegun_ = false;  // on this connection
  bool hasJoined_ = false;
  std::uint64_t lastId_ = 0;
  std::uint64_t joinId_ = 0;
  std::string epoch_;
  std::uint64_t offset_ = 0;
  std::map<std::uint64_t, std::string> kept_;  // sends without a reply, by id
};

}  // namespace stormo::integration
