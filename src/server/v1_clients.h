#pragma once

#include <stormo/groups.h>

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

  void onMessage(Connection& connection, Client& client, Message message);
  /// What that client's `send` said is with the members; it may be gone.
  void onSent(ConnectionId client, std::uint64_t request);
  /// The Channel does not accept it.
  void onRefused(ConnectionId client, std::uint64_t request);

  void onGroupMessage(const GroupMessage& said);
  /// A link to the Channel is up, perhaps to another server.
  void onChannel();
  /// Members of the group have got to the bus's position, without a message.
  void tellPosition(std::string_view group);
  [[nodiscard]] bool isInGroups(const Connection& connection) const {
    return groups_.groupCount(connection) > 0;
  }

 private:
  void join(Connection& connection, Client& client, const v1::Request& request);
  void ask(ConnectionId id, const Client::Join& join);
  void onHistoryReply(ConnectionId id, const Client::Join& join, const HistoryReply& reply);
  void leave(Connection& connection, Client& client, const v1::Request& request);
  void send(Connection& connection, Client& client, const v1::Request& request);
  void replyOk(Connection& connection, std::uint64_t request);
  void refuse(Connection& connection, std::uint64_t request, std::string_view code,
              std::string_view message);

  const ServerContext& context_;
  v1::RequestDecoder decoder_;
  Groups groups_;
  JoinQueue joins_;
  std::uint64_t epoch_ = 0;  // of the Channel server that was there last
  std::string text_;
};

}  // namespace stormo::server
