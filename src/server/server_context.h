#pragma once

#include <fmt/format.h>
#include <stormo/event_loop.h>
#include <stormo/worker.h>

#include "channel/client/bus.h"
#include "server/client.h"
#include "server/interest.h"
#include "server/publishing.h"
#include "server/settings.h"

namespace stormo::server {

/// What the clients of either protocol have in common within a worker process.
struct ServerContext {
  Worker& worker;
  const Settings& settings;
  channel::Bus& bus;
  Interest& interest;
  Publishing& publishing;

  /// A client that leaves so much unread that there is no room for a reply is disconnected: it must
  /// not wait for a reply that was dropped.
  static void reply(Connection& connection, std::string_view text) {
    if (connection.send(text) == SendStatus::Full) connection.destroy();
  }

  /// `text` states what was wrong; after too many in a row within too short a time the client is
  /// closed.
  void complain(Connection& connection, std::string_view text) const {
    reply(connection, text);
    Client& client = connection.state<Client>();
    const TimePoint now = EventLoop::current().now();
    if (now - client.badSince >= settings.badCommandsTime) client.badInARow = 0;
    if (client.badInARow == 0) client.badSince = now;
    if (++client.badInARow < settings.badCommandsMax) return;
    connection.close(CloseCode::PolicyViolation,
                     fmt::format("{} bad commands in a row within {} s", settings.badCommandsMax,
                                 settings.badCommandsTime.count()));
  }
};

}  // namespace stormo::server
