#pragma once

#include <stormo/channel/server.h>
#include <stormo/event_loop.h>

#include <cstddef>

#include "channel/broker.h"
#include "net/listener.h"

namespace stormo::channel {

/// Throws std::invalid_argument, with a sentence for the user, if the server would listen beyond
/// this machine without a secret and without allowOpen, or if a setting makes no sense. To be
/// called at start-up.
void checkExposure(const Server& server);

/// The Channel server in its process: a broker, and the listening sockets that feed it.
class ServerProcess {
 public:
  /// `server` outlives this.
  ServerProcess(EventLoop& loop, const Server& server);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// Accepts links from a listening socket, which stays the caller's and outlives this.
  void listen(int fd);
  /// Accepts no more, and closes all links once their output has left. Idempotent.
  void stop();
  /// Links that are there, those that are closing included.
  [[nodiscard]] std::size_t linkCount() const;

 private:
  template <typename Visit>
  void forEachLink(Visit visit) const;

  net::ConnectionTable& table_;
  Broker broker_;
  net::Listener listener_;
};

}  // namespace stormo::channel
