#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/settings.h"

namespace stormo::config {

/// The variable of a setting: STORMO_CHANNEL_REPLAY_BYTES is that of channel.replay-bytes.
std::string variableOf(const SettingSpec& spec);

/// The settings that environment variables state. Flags override them; they override the file.
class Environment {
 public:
  /// Copies what concerns Stormo. `variables` is as environ(7): "NAME=value", and a null pointer at
  /// the end. An empty variable counts as not set. Names of files become absolute.
  explicit Environment(const char* const* variables);

  /// Applies them: all, or only those that a Channel alone has. Throws std::invalid_argument with a
  /// sentence that names the variable.
  void apply(Settings& settings, bool onlyOfChannel = false) const;

  /// A sentence for each variable that begins with STORMO_ and that nothing reads.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  std::vector<std::pair<const SettingSpec*, std::vector<std::string>>> values_;
  std::vector<std::string> warnings_;
};

}  // namespace stormo::config
