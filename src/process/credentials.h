#pragma once

#include <chrono>
#include <string>

#include "sys/unique_fd.h"

namespace stormo::process {

/// Secrets that the master reads with its own rights, and that the children of a role use. A child
/// inherits those of the time of its start; later ones reach it by a file (Child::onCredentials).
class Credentials {
 public:
  virtual ~Credentials() = default;

  /// Reads the files again. Throws std::invalid_argument, with a sentence for the user; then
  /// nothing has changed.
  virtual void reload() = 0;
  /// Replaces keys that should not be used for long. The master calls it every kRotateEvery.
  virtual void rotate() = 0;
  static constexpr std::chrono::hours kRotateEvery{12};
  /// States what is wrong with them today, or will be within `margin`. Empty: nothing.
  [[nodiscard]] virtual std::string complaint(std::chrono::hours margin) const = 0;
  /// Takes over those in a file of share(), in a process that starts children for the master.
  /// Throws std::runtime_error if they cannot be used; then nothing has changed.
  virtual void adopt(const UniqueFd& file) = 0;
  /// A file in memory with all of them. Throws std::system_error.
  [[nodiscard]] virtual UniqueFd share() const = 0;
};

}  // namespace stormo::process
