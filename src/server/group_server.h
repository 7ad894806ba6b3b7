#pragma once

#include <stormo/worker.h>

#include <memory>
#include <string>

#include "channel/client/bus.h"
#include "server/command_clients.h"
#include "server/interest.h"
#include "server/publishing.h"
#include "server/server_context.h"
#include "server/settings.h"
#include "server/v1_clients.h"

namespace stormo::server {

/// The ready server within one worker process: clients' requests in, group messages out. A message
/// takes the way through the Channel always, also between two clients of one worker: it is the
/// Channel that gives a group its order.
class GroupServer {
 public:
  /// Starts to connect to the Channel; `worker` and `settings` outlive this. Throws
  /// std::invalid_argument for a URL that is none.
  GroupServer(Worker& worker, const Settings& settings, const std::string& channelUrl,
              const channel::BusOptions& options);
  GroupServer(const GroupServer&) = delete;
  GroupServer& operator=(const GroupServer&) = delete;

  void onWebSocketConnect(Connection& connection, const WebSocketHandshake& handshake);
  void onMessage(Connection& connection, Message message);
  /// Of clients that send more than their share of a turn, more may be read.
  [[nodiscard]] bool hasRoom() const { return publishing_.hasRoom(); }

 private:
  /// Reports a Channel that accepts less than this server's clients may send.
  void checkLimits();
  /// Messages were lost to this process: its clients must not miss them unknowingly.
  void onGap();

  Worker& worker_;
  std::unique_ptr<channel::Bus> bus_;
  Interest interest_;
  Publishing publishing_;
  const ServerContext context_;
  CommandClients commandClients_;
  V1Clients v1Clients_;
};

}  // namespace stormo::server
