#pragma once

#include <stormo/channel/server.h>
#include <stormo/worker.h>

#include <memory>
#include <string>

#include "channel/client/bus.h"
#include "process/program.h"
#include "server/group_server.h"
#include "server/settings.h"

namespace stormo::server {

/// The ready server: its Channel (unless one runs elsewhere) and its workers, out of settings.
class ServerProgram {
 public:
  /// `directory`: of the instance, for the private socket between workers and Channel, and for what
  /// the Channel leaves to the next one.
  /// Throws std::exception with a sentence for what cannot be.
  ServerProgram(Settings settings, const std::string& directory);

  process::Program program();

 private:
  void declareChannel(const std::string& directory);
  void declareWorker();

  const Settings settings_;
  std::string channelUrl_;
  channel::BusOptions busOptions_;
  std::unique_ptr<channel::Server> channel_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<GroupServer> groupServer_;  // in a worker process
};

/// A Channel alone: `stormo channel start`.
struct ChannelSettings {
  std::string listen = "frame://127.0.0.1:2206";
  std::string secretFile;
  bool open = false;
  Settings common;  ///< Of these, what isOfChannel().
};
class ChannelProgram {
 public:
  ChannelProgram(const ChannelSettings& settings, const std::string& directory);
  process::Program program();

 private:
  std::unique_ptr<channel::Server> channel_;
};

}  // namespace stormo::server
