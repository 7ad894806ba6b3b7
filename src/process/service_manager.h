#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace stormo::process {

/// Reports the states of this process to the service manager that started it: the protocol of
/// sd_notify(3), a datagram to $NOTIFY_SOCKET. Does nothing without one.
class ServiceManager {
 public:
  ServiceManager() = default;
  /// Reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID, and removes them from the environment:
  /// they are not meant for programs that this process starts.
  static ServiceManager fromEnvironment();

  /// `status`: a line for `systemctl status`.
  void ready(std::string_view status);
  /// Before a reload; ready() follows.
  void reloading() const;
  void stopping() const;
  /// Sends the line, unless it is the one that was sent last.
  void status(std::string_view line);
  void aliveNow() const;
  /// The interval in which aliveNow() is expected. Zero: it is not.
  [[nodiscard]] std::chrono::microseconds watchdog() const { return watchdog_; }

 private:
  void send(const std::string& state) const;

  std::string path_;
  std::string lastStatus_;
  std::chrono::microseconds watchdog_{0};
};

/// A file with the pid of this process, while this lives.
class PidFile {
 public:
  /// Replaces the file in one step. Empty `path`: no file. Throws std::runtime_error.
  explicit PidFile(std::string path);
  /// Removes the file, unless another process has replaced it.
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

 private:
  const std::string path_;
};

}  // namespace stormo::process
