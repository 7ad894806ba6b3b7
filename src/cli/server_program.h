#pragma once

#include <stormo/channel.h>
#include <stormo/channel/server.h>
#include <stormo/group_server.h>
#include <stormo/worker.h>

#include <memory>
#include <optional>
#include <string>

#include "cli/api_program.h"
#include "cli/secrets.h"
#include "cli/token_key_file.h"
#include "cli/token_key_refresh.h"
#include "config/settings.h"

namespace stormo::cli {

/// The ready server as a program made with the framework: its Channel (unless settings name one
/// elsewhere), its Worker, and the GroupServer on it.
class ServerProgram {
 public:
  /// Declares all of them. Throws std::exception, with a text for the user, for invalid settings.
  /// `instanceDirectory` has files of the instance; empty: none is made.
  explicit ServerProgram(config::Settings settings, const std::string& instanceDirectory = {});

  /// The directory in which the workers keep keys of tokens. Empty: they keep none.
  [[nodiscard]] std::string keyDirectory(const std::string& instanceDirectory);

 private:
  void declareChannel();
  void declareWorker();
  /// Logs that clients of other machines need no token.
  void warnIfOpen() const;

  const config::Settings settings_;
  const Secrets secrets_;
  const AccessOptions access_;
  std::optional<channel::Server> channelServer_;
  Worker worker_;
  Channel channel_;
  GroupServer groupServer_;
  std::optional<TokenKeyFetch> keyFetch_;
  std::optional<TokenKeyRefresh> keyRefresh_;  // in a worker process
  std::optional<ApiProgram> api_;
};

/// The settings of a Channel alone: `stormo channel start`.
struct ChannelSettings {
  std::string listen = "frame://127.0.0.1:2206";
  std::string secretFile;
  bool open = false;
  config::Settings common;  ///< Those for which SettingSpec::isOfChannel() is true.
};

class ChannelProgram {
 public:
  explicit ChannelProgram(const ChannelSettings& settings);

 private:
  channel::Server server_;
};

}  // namespace stormo::cli
