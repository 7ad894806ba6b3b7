#include "process/service_manager.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "process/take_variable.h"
#include "sys/clock.h"
#include "sys/error_text.h"
#include "sys/log.h"
#include "sys/unique_fd.h"

namespace stormo::process {
namespace {

std::int64_t numberIn(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

ServiceManager ServiceManager::fromEnvironment() {
  ServiceManager manager;
  manager.path_ = takeVariable("NOTIFY_SOCKET").value_or("");
  const std::string pid = takeVariable("WATCHDOG_PID").value_or("");
  const std::int64_t interval = numberIn(takeVariable("WATCHDOG_USEC").value_or(""));
  const bool isMeant = pid.empty() || numberIn(pid) == ::getpid();
  if (isMeant && interval > 0) manager.watchdog_ = std::chrono::microseconds(interval);
  return manager;
}

void ServiceManager::ready(std::string_view status) {
  lastStatus_ = status;
  send(fmt::format("READY=1\nSTATUS={}", status));
}

void ServiceManager::reloading() const {
  const auto now = Clock::now().time_since_epoch();
  send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=Reloading",
                   std::chrono::duration_cast<std::chrono::microseconds>(now).count()));
}

void ServiceManager::stopping() const { send("STOPPING=1\nSTATUS=Stopping"); }

void ServiceManager::status(std::string_view line) {
  if (lastStatus_ == line) return;
  lastStatus_ = line;
  send(fmt::format("STATUS={}", line));
}

void ServiceManager::aliveNow() const { send("WATCHDOG=1"); }

void ServiceManager::send(const std::string& state) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.empty() || path_.size() >= sizeof address.sun_path) return;
  std::ranges::copy(path_, address.sun_path);
  if (path_.front() == '@') address.sun_path[0] = '\0';  // an abstract socket
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
  const ssize_t sent = ::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address), size);
  if (sent >= 0) return;
  log::debug("the service manager cannot be notified path=\"{}\" reason=\"{}\"", path_,
             errorText(errno));
}

PidFile::PidFile(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  const std::string unfinished = path_ + ".new";
  const std::string text = fmt::format("{}\n", ::getpid());
  const UniqueFd fd(
      ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (fd.valid() &&
      ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::rename(unfinished.c_str(), path_.c_str()) == 0) {
    return;
  }
  throw std::runtime_error(
      fmt::format("cannot write the pid file {}: {}", path_, errorText(errno)));
}

PidFile::~PidFile() {
  if (path_.empty()) return;
  std::ifstream file(path_);
  pid_t pid = 0;
  if (file >> pid && pid == ::getpid()) ::unlink(path_.c_str());
}

}  // namespace stormo::process
