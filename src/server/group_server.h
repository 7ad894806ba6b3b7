#pragma once

#include <stormo/groups.h>
#include <stormo/worker.h>

#include <deque>
#include <memory>
#include <string>

#include "channel/bus.h"
#include "protocol/group_command.h"
#include "server/settings.h"

namespace stormo::server {

/// The ready server within one worker process: clients' group commands in, group messages out.
/// A message takes the way through the Channel always, also between two clients of one worker: it
/// is the Channel that gives a group its order.
class GroupServer {
 public:
  /// Starts to connect to the Channel; `worker` and `settings` outlive this. Throws
  /// std::invalid_argument for a URL that is none.
  GroupServer(Worker& worker, const Settings& settings, const std::string& channelUrl,
              const channel::BusOptions& options);

  void onMessage(Connection& connection, Message message);

 private:
  void join(Connection& connection, std::string_view group);
  void send(Connection& connection, const GroupRequest& request);
  /// Publishes what waits for the Channel, as long as it takes it.
  void sendWaiting();
  /// Messages were lost to this process: its clients must not miss them unknowingly.
  void onGap();
  /// Tells the client, and closes it after too many in a row.
  void complain(Connection& connection, std::string_view code, std::string_view message);

  struct Client {
    std::size_t badInARow = 0;
  };
  /// A message that the Channel had no room for. Its client is not read until it has left: so each
  /// has one at the most.
  struct Waiting {
    ConnectionId client;
    std::string group;
    std::string message;
  };

  Worker& worker_;
  const Settings& settings_;
  GroupCommandDecoder decoder_;
  Groups groups_;
  std::unique_ptr<channel::Bus> bus_;
  std::deque<Waiting> waiting_;
};

}  // namespace stormo::server
