#pragma once

#include <stormo/channel/server.h>
#include <stormo/event_loop.h>

#include <cstddef>
#include <functional>

#include "channel/server/broker.h"
#include "net/listener.h"

namespace stormo::channel {

/// Throws std::invalid_argument, with a sentence for the user, if the server would listen beyond
/// this machine without a secret and without allowOpen, or if a setting makes no sense. To be
/// called at start-up.
void checkExposure(const Server& server);

/// The Channel server in its process: a broker, and the listening sockets that feed it.
class ServerProcess {
 public:
  /// `server` outlives this. Goes on where the last one has ended, if that has left its state in
  /// this file, which stays the caller's; -1: there is none.
  ServerProcess(EventLoop& loop, const Server& server, int stateFile = -1);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// Accepts links from a listening socket, which stays the caller's and outlives this.
  void listen(int fd);
  /// stop(), then leaveState() when the links have drained or kDrainTime is over, then `onDone`.
  /// Further calls do nothing.
  void end(std::function<void()> onDone);
  /// Accepts no more links, and closes all of them once their output has left. Idempotent.
  void stop();
  /// After stop(): saves the state for the next server, if there is a file.
  void leaveState();
  /// The number of links, including those that are closing.
  [[nodiscard]] std::size_t linkCount() const;

 private:
  template <typename Visit>
  void forEachLink(Visit visit) const;

  void takeState();

  net::ConnectionTable& table_;
  const int stateFile_;
  Broker broker_;
  net::Listener listener_;
  bool isEnding_ = false;
};

}  // namespace stormo::channel
