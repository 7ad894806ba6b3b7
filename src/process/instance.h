#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "sys/unique_fd.h"

namespace stormo::process {

/// The directory of the instances: `option` if it is not empty, else $STORMO_RUNTIME_DIR, else
/// defaultRuntimeDirectory().
std::string runtimeDirectory(const std::string& option);
/// One place for each user, independent of the environment, that a logout or a reboot does not
/// delete: /var/lib/stormo for root; else ~/.local/state/stormo in the home of the user database;
/// else, for a user without a home, /var/tmp/stormo-UID.
std::string defaultRuntimeDirectory();

/// The file, in the instance's directory, of the socket on which its Channel takes commands of the
/// user. No longer than that of the control socket, so that the path fits, too.
inline constexpr const char* kBackendSocket = "backend.sock";

/// True if the path names the file that is open as `fd`: it was not deleted or replaced.
bool isFileAt(const std::string& path, int fd);

/// The directory of one instance and the files in it.
class Instance {
 public:
  /// Changes nothing in the file system. Throws std::runtime_error if `name` is not a plain file
  /// name, or if the path of its control socket is too long for the kernel.
  Instance(const std::string& runtimeDirectory, const std::string& name);

  [[nodiscard]] const std::string& directory() const { return directory_; }
  /// "instance 'chat' in /var/lib/stormo", for messages.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string lockPath() const { return directory_ + "/lock"; }
  [[nodiscard]] std::string childrenPath() const { return directory_ + "/children"; }
  [[nodiscard]] std::string controlPath() const { return directory_ + "/control.sock"; }
  [[nodiscard]] std::string backendPath() const { return directory_ + '/' + kBackendSocket; }
  [[nodiscard]] std::string logPath() const { return directory_ + "/log"; }
  [[nodiscard]] std::string startRecordPath() const { return directory_ + "/start.json"; }

  /// Creates the directories for their owner only; others may enter root's, as workers must. Throws
  /// std::runtime_error if one cannot be created or has another owner; the outer may be root's.
  void createDirectory() const;

  /// Makes this process the instance's master while the descriptor is open, and writes its pid to
  /// the file. Empty if another process is the master.
  [[nodiscard]] std::optional<UniqueFd> lock() const;

  /// Waits until all children of an earlier master that was killed have ended, because they hold
  /// its sockets. Our children inherit the descriptor, so the next master waits for them. Call it
  /// while holding lock(). Throws std::runtime_error if they have not ended within 7 s.
  [[nodiscard]] UniqueFd lockForChildren() const;

  /// The master's pid. Empty: none runs. 0: it has not written its pid yet.
  [[nodiscard]] std::optional<pid_t> runningPid() const;

 private:
  std::string parent_;
  std::string name_;
  std::string directory_;
};

}  // namespace stormo::process
