#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "config/environment.h"
#include "config/settings.h"

namespace stormo::process {
class CommandLine;
}

namespace stormo::cli {

/// The settings that a command is given: flags override the environment, which overrides the file.
class GivenSettings {
 public:
  /// Takes those of this process's environment.
  GivenSettings();

  void addFile(CLI::App& app);
  void addFlags(CLI::App& app, bool onlyOfChannel);

  /// Writes a line to stderr for each environment variable that looks like Stormo's and is not.
  void warn(const std::string& programName) const;

  /// With the file as it was at the start of the program. Throws std::exception with a sentence for
  /// the user.
  [[nodiscard]] config::Settings resolve(process::CommandLine& commandLine) const;
  /// The same with `path` as file and without flags. Returns a line for each mistake.
  std::vector<std::string> readFile(const std::string& path, config::Settings& settings) const;

 private:
  bool onlyOfChannel_ = false;
  std::string file_;
  const config::Environment environment_;
  std::vector<std::pair<const config::SettingSpec*, std::vector<std::string>>> flags_;
};

}  // namespace stormo::cli
