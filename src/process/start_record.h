#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stormo::process {

/// The options and directory of the last start. The master saves it in the instance's directory for
/// `restart`, also after a reboot.
struct StartRecord {
  std::vector<std::string> options;  ///< One word each: "--workers=2".
  std::string directory;             ///< The working directory, for relative paths.

  /// Replaces the file in one step. Throws std::runtime_error.
  void save(const std::string& path) const;
  /// Empty if there is no file. Throws std::runtime_error if it cannot be read.
  static std::optional<StartRecord> load(const std::string& path);
};

/// A word in the syntax of a shell, in quotes where it needs them.
std::string shellWord(std::string_view word);

}  // namespace stormo::process
