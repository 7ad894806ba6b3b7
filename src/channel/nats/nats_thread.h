#pragma once

#include <stormo/channel/cluster_settings.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "channel/nats/nats_connection.h"
#include "channel/nats/nats_library.h"
#include "channel/nats/nats_link.h"
#include "channel/nats/nats_mailbox.h"
#include "channel/nats/server_url.h"

namespace stormo::channel {

/// The thread that makes all calls to libnats that can block: it connects, for ever, and executes
/// commands. It ends by itself some time after stop(), and owns itself until then.
class NatsThread : public std::enable_shared_from_this<NatsThread> {
 public:
  static std::shared_ptr<NatsThread> start(ClusterSettings settings, std::vector<ServerUrl> servers,
                                           std::shared_ptr<NatsMailbox> mailbox);

  // Any thread:

  /// A command for a link that is gone does nothing.
  void add(NatsCommand command);
  /// Executes the commands that were added, if there is a connection, and ends the thread. Waits
  /// for that, but not longer than `patience`.
  void stop(std::chrono::milliseconds patience);

 private:
  NatsThread(ClusterSettings settings, std::vector<ServerUrl> servers,
             std::shared_ptr<NatsMailbox> mailbox);

  /// Why a link has ended.
  enum class End : std::uint8_t { Stopped, Lost, LameDuck };

  void run();
  /// The first server that accepts; `except` is not tried. Null with `reason` if there is none.
  std::unique_ptr<NatsLink> connectToAny(const ServerUrl* except, std::string& reason);
  std::unique_ptr<NatsLink> connectTo(const NatsLibrary& library, const ServerUrl& server,
                                      std::string& problem);
  void begin(const NatsLink& link);
  End serve(NatsLink& link, std::string& reason);
  void report(std::string reason);
  void warnOnce(const std::string& differences);
  void pause();
  bool isStopping();

  [[nodiscard]] NatsConnection::Handlers handlersFor(std::shared_ptr<LinkSignals> signals);
  /// Any thread: changes signals with the mutex, and wakes the thread.
  void signal(const std::function<void()>& change);

  const ClusterSettings settings_;
  const std::vector<ServerUrl> servers_;
  const std::shared_ptr<NatsMailbox> mailbox_;

  std::mutex mutex_;  // protects these, and the signals of links
  std::condition_variable changed_;
  std::vector<NatsCommand> commands_;
  bool isStopping_ = false;
  bool hasEnded_ = false;

  // Only of the thread:
  std::minstd_rand random_;
  std::size_t nextServer_ = 0;
  std::uint64_t lastLink_ = 0;
  int attempts_ = 0;
  std::string reported_;  // the reason that the loop has
  std::string warned_;
};

}  // namespace stormo::channel
