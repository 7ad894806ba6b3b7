#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stormo::process {

/// What `start` was called with. The master keeps it in the instance's folder, where `restart`
/// finds it, also after a reboot.
struct StartRecord {
  std::vector<std::string> options;  ///< One word each: "--workers=2".
  std::string directory;             ///< The working directory, for what is named relatively.

  /// Replaces the file in one step. Throws std::runtime_error.
  void save(const std::string& path) const;
  /// Nothing if there is no file. Throws std::runtime_error if it cannot be read.
  static std::optional<StartRecord> load(const std::string& path);
};

/// A word as a person would write it for a shell.
std::string shellWord(std::string_view word);

}  // namespace stormo::process
