#pragma once

#include <stormo/channel/server.h>
#include <stormo/event_loop.h>
#include <stormo/timer.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "channel/log/log.h"
#include "channel/server/broker.h"
#include "channel/server/channel_state.h"
#include "net/listener.h"

namespace stormo::channel {

/// Checks the settings at start. Throws std::invalid_argument, with a sentence for the user, if one
/// is invalid, or if the server would listen beyond this machine without a secret and without
/// allowOpen.
void checkExposure(const Server& server);

/// The Channel server of a process: a broker and its listening sockets. It accepts links once its
/// log can be used.
class ServerProcess {
 public:
  /// `server` outlives this. Opens the log, which may block, and goes on from its records, now or
  /// in a later turn. Throws std::runtime_error if it cannot.
  ServerProcess(EventLoop& loop, const Server& server, std::unique_ptr<Log> log);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// Links that are accepted from now on speak TLS, but for those of unix sockets.
  void useTls(std::shared_ptr<const net::TlsContext> tls);
  /// Accepts links from a listening socket, once the log can be used. The caller owns it; it
  /// outlives this.
  void listen(int fd);
  /// stop(), then finishes the log when the links have drained or after kDrainTime, then `onDone`.
  /// If the log cannot be used yet, `onDone` is called in the next turn. Further calls do nothing.
  /// `onDone` is not called if this is destroyed before.
  void end(std::function<void()> onDone);
  /// Accepts no more links, and closes all of them once their output has left. Idempotent.
  void stop();
  /// The number of links, including those that are closing.
  [[nodiscard]] std::size_t linkCount() const;

 private:
  template <typename Visit>
  void forEachLink(Visit visit) const;
  void onOpened();
  void finish(const std::function<void()>& onDone);

  EventLoop& loop_;
  const Server& server_;
  net::ConnectionTable& table_;
  ChannelState state_;
  std::unique_ptr<Log> log_;
  // What was called before the log could be used:
  std::shared_ptr<const net::TlsContext> tls_;
  std::vector<int> listening_;
  /// Null until the log can be used, and if stop() was called before.
  std::unique_ptr<Broker> broker_;
  std::optional<net::Listener> listener_;
  bool isStopped_ = false;
  bool isEnding_ = false;
  Timer::Id ending_ = 0;  // the next step of end()
};

}  // namespace stormo::channel
