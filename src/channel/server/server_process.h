#pragma once

#include <stormo/channel/server.h>
#include <stormo/event_loop.h>

#include <cstddef>
#include <functional>

#include "channel/server/broker.h"
#include "net/listener.h"

namespace stormo::channel {

/// Checks the settings at start. Throws std::invalid_argument, with a sentence for the user, if one
/// is invalid, or if the server would listen beyond this machine without a secret and without
/// allowOpen.
void checkExposure(const Server& server);

/// The Channel server of a process: a broker and its listening sockets.
class ServerProcess {
 public:
  /// `server` outlives this. Resumes from the state in `stateFile`, if there is one. The caller
  /// owns the file; -1: none.
  ServerProcess(EventLoop& loop, const Server& server, int stateFile = -1);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// Accepts links from a listening socket. The caller owns it; it outlives this.
  void listen(int fd);
  /// stop(), then saveState() when the links have drained or after kDrainTime, then `onDone`.
  /// Further calls do nothing.
  void end(std::function<void()> onDone);
  /// Accepts no more links, and closes all of them once their output has left. Idempotent.
  void stop();
  /// After stop(): saves the state for the next server, if there is a file. Logs an error on
  /// failure.
  void saveState();
  /// The number of links, including those that are closing.
  [[nodiscard]] std::size_t linkCount() const;

 private:
  template <typename Visit>
  void forEachLink(Visit visit) const;

  void loadState();

  net::ConnectionTable& table_;
  const int stateFile_;
  Broker broker_;
  net::Listener listener_;
  bool isEnding_ = false;
};

}  // namespace stormo::channel
