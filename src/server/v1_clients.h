#pragma once

#include <stormo/groups.h>

#include <chrono>
#include <string>
#include <string_view>

#include "protocol/client/v1_request.h"
#include "server/join_queue.h"
#include "server/server_context.h"

namespace stormo::server {

/// The clients that speak stormo.v1 (docs/v1-protocol.md).
class V1Clients {
 public:
  explicit V1Clients(const ServerContext& context);

  void onMessage(Connection& client, ClientState& state, Message message);
  /// The client has connected with that token.
  void welcome(Connection& client, const access::Token& token);
  void onExpiring(Connection& client, std::chrono::seconds left);
  /// The Channel has acknowledged, or refused, the message of that `send`. The client may be
  /// closed.
  void onSent(ConnectionId client, std::uint64_t request);
  void onRefused(ConnectionId client, std::uint64_t request);

  void onGroupMessage(const GroupMessage& message);
  /// A message for that client alone.
  void deliver(Connection& client, const GroupMessage& message);

  // By the backend:

  /// Makes it a member, unless it is one or has asked to be one, and sends it the messages of the
  /// reply, which are those since `since`. Returns true if it became a member.
  bool joinByBackend(Connection& client, std::string_view group, Position since,
                     const HistoryReply& reply);
  void leaveByBackend(Connection& client, std::string_view group);
  void sendInfo(Connection& client);

  [[nodiscard]] const Groups& groups() const { return groups_; }
  [[nodiscard]] bool isInGroups(const Connection& client) const {
    return groups_.groupCount(client) > 0;
  }

 private:
  void join(Connection& client, ClientState& state, const v1::Request& request);
  void requestHistory(ConnectionId client, const ClientState::Join& join);
  void onHistoryReply(ConnectionId client, const ClientState::Join& join,
                      const HistoryReply& reply);
  [[nodiscard]] SendStatus replay(Connection& client, const HistoryReply& reply);
  void leave(Connection& client, ClientState& state, const v1::Request& request);
  /// A join that the Channel has not answered yet ends. False if there is none.
  bool cancelJoin(Connection& client, ClientState& state, std::string_view name);
  void send(Connection& client, ClientState& state, const v1::Request& request);
  void refresh(Connection& client, const v1::Request& request);
  void whoAmI(Connection& client, const v1::Request& request);
  void replyOk(Connection& client, std::uint64_t request);
  void replyError(Connection& client, std::uint64_t request, std::string_view code,
                  std::string_view message);

  const ServerContext& context_;
  v1::RequestDecoder decoder_;
  Groups groups_;
  JoinQueue joins_;
  std::string text_;
};

}  // namespace stormo::server
