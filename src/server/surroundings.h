#pragma once

#include <stormo/worker.h>

#include "channel/bus.h"
#include "server/client.h"
#include "server/interest.h"
#include "server/publishing.h"
#include "server/settings.h"

namespace stormo::server {

/// What the clients of either protocol have in common within a worker process.
struct Surroundings {
  Worker& worker;
  const Settings& settings;
  channel::Bus& bus;
  Interest& interest;
  Publishing& publishing;

  /// `reply` tells the client what was wrong; after too many in a row it is closed.
  void complain(Connection& connection, std::string_view reply) const {
    connection.send(reply);
    if (++connection.state<Client>().badInARow >= settings.badCommandsMax) {
      connection.close(CloseCode::PolicyViolation, "too many bad commands");
    }
  }
};

}  // namespace stormo::server
