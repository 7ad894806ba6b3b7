#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "sys/unique_fd.h"

namespace stormo::process {

/// Where instances live: `option` if it is not empty, else $STORMO_RUNTIME_DIR, else one place for
/// each user, whatever the environment is, that a logout or a reboot does not delete:
/// /var/lib/stormo for root; else ~/.local/state/stormo, the home as the user database has it; else
/// (no home of one's own) /var/tmp/stormo-UID.
std::string runtimeDirectory(const std::string& option);
std::string usualRuntimeDirectory();  ///< Of this user, without option and environment.

/// True if the path names the very file that is open there: it was not deleted or replaced.
bool isFileAt(const std::string& path, int fd);

/// The names of one instance's things. Touches nothing until asked to.
class Instance {
 public:
  /// Throws std::runtime_error if `name` is not a plain file name, or if its sockets' paths would
  /// be longer than the kernel takes.
  Instance(const std::string& runtimeDirectory, const std::string& name);

  [[nodiscard]] const std::string& directory() const { return directory_; }
  /// "instance 'chat' in /var/lib/stormo", for messages.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string lockPath() const { return directory_ + "/lock"; }
  [[nodiscard]] std::string childrenPath() const { return directory_ + "/children"; }
  [[nodiscard]] std::string controlPath() const { return directory_ + "/control.sock"; }
  [[nodiscard]] std::string logPath() const { return directory_ + "/log"; }
  [[nodiscard]] std::string startRecordPath() const { return directory_ + "/start.json"; }

  /// Makes the directories, for their owner only (root's let others pass through, for workers that
  /// run as another user). Throws std::runtime_error if one cannot be made or belongs to somebody
  /// else.
  void createDirectory() const;

  /// Makes this process the instance's master for as long as the descriptor is open somewhere, and
  /// writes its pid down. Nothing if another one is.
  [[nodiscard]] std::optional<UniqueFd> lock() const;

  /// Waits until no child of an earlier master is left, one that was killed: they hold its sockets
  /// until they have ended. Our children inherit the descriptor, and so hold up the next master.
  /// Call it with the lock; throws std::runtime_error if they take longer than children are given.
  [[nodiscard]] UniqueFd lockForChildren() const;

  /// The master's pid; nothing if none runs. 0 if it has only just begun.
  [[nodiscard]] std::optional<pid_t> runningPid() const;

 private:
  std::string parent_;
  std::string name_;
  std::string directory_;
};

}  // namespace stormo::process
