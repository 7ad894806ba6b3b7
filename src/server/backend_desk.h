#pragma once

#include <stormo/event_loop.h>
#include <stormo/value.h>

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "access/revocations.h"
#include "server/backend_commands.h"
#include "server/command_clients.h"
#include "server/server_context.h"
#include "server/v1_clients.h"

namespace stormo::server {

/// Does what the backend commands, with the clients of this worker. What comes is data of others,
/// also of PHP programs: a malformed event is logged and dropped.
class BackendDesk {
 public:
  BackendDesk(const ServerContext& context, CommandClients& commandClients, V1Clients& v1Clients)
      : context_(context), commandClients_(commandClients), v1Clients_(v1Clients) {}

  /// The events kControlEvent and kRevocationEvent. The Channel's position is that of the event.
  void onCommand(const Value& data);
  void onRevocation(const Value& data);

  [[nodiscard]] bool isRevoked(const access::Token& token, access::UnixSeconds now) const {
    return revocations_.revoke(token, now);
  }

 private:
  /// Clients that become members when the Channel has replied with the messages since the command.
  struct Join {
    /// One that a later command has let leave: it receives the messages between both commands.
    struct Leaving {
      ConnectionId client;
      std::uint64_t offset;  ///< Of that command.
    };
    std::string group;
    std::vector<ConnectionId> clients;
    std::vector<Leaving> leaving = {};
  };

  void join(const BackendCommand& command);
  void endJoin(std::list<Join>::iterator join, Position since, const HistoryReply& reply);
  /// The client becomes a member, if it is connected and is none. Returns true if it did.
  bool endJoin(ConnectionId client, std::string_view group, Position since,
               const HistoryReply& reply);
  void leave(ConnectionId client, std::string_view group);
  void leave(const BackendCommand& command);
  void setInfo(const BackendCommand& command);
  void logMalformed(std::string_view event, std::string_view wrong);

  const ServerContext& context_;
  CommandClients& commandClients_;
  V1Clients& v1Clients_;
  std::list<Join> joins_;
  access::Revocations revocations_;
  std::uint64_t malformed_ = 0;
  EventLoop::TimePoint loggedAt_{};
};

}  // namespace stormo::server
