#include "process/control_client.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "sys/address.h"
#include "sys/clock.h"
#include "sys/error_text.h"

namespace stormo::process {
namespace {

using std::chrono::milliseconds;

/// False if the deadline passes first.
bool waitReadable(int fd, std::optional<TimePoint> deadline) {
  while (true) {
    int wait = -1;
    if (deadline) {
      const auto left = std::chrono::ceil<milliseconds>(*deadline - Clock::now()).count();
      if (left <= 0) return false;
      wait = static_cast<int>(left);
    }
    pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, wait) > 0) return true;
  }
}

}  // namespace

std::optional<ControlClient> ControlClient::connect(const Instance& instance) {
  const Address address = Address::unixPath(instance.controlPath()).value();
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), address.raw(), address.size()) == 0) return ControlClient(std::move(fd));
  const int problem = errno;
  if (problem == EACCES) {
    throw std::runtime_error(
        fmt::format("cannot reach the master at {}: {} (it belongs to another user)",
                    instance.controlPath(), errorText(problem)));
  }
  const auto pid = instance.runningPid();
  if (!pid) return std::nullopt;
  throw std::runtime_error(
      fmt::format("the master (pid {}) does not listen at {}: {} (it may be starting or stopping: "
                  "try again)",
                  *pid, instance.controlPath(), errorText(problem)));
}

ControlClient::ControlClient(UniqueFd fd) : fd_(std::move(fd)) {
  ucred master{};
  socklen_t size = sizeof master;
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &master, &size) < 0) return;
  master_.reset(static_cast<int>(::syscall(SYS_pidfd_open, master.pid, 0)));
}

Json ControlClient::ask(const Json& request, milliseconds timeout) {
  const std::string line = request.dump() + '\n';
  if (::send(fd_.get(), line.data(), line.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(line.size())) {
    throw std::runtime_error(fmt::format("cannot send to the master: {}", errorText(errno)));
  }
  Json answer = Json::parse(readLine(timeout), nullptr, false);
  if (!answer.is_object()) throw std::runtime_error("the master's answer is malformed");
  if (answer.contains("error")) throw std::runtime_error(answer.at("error").get<std::string>());
  return answer;
}

std::string ControlClient::readLine(milliseconds timeout) {
  std::optional<TimePoint> deadline;
  if (timeout > milliseconds::zero()) deadline = Clock::now() + timeout;
  std::string line;
  while (true) {
    if (!waitReadable(fd_.get(), deadline)) {
      throw std::runtime_error(
          fmt::format("the master did not answer within {} ms", timeout.count()));
    }
    char bytes[16384];
    const ssize_t size = ::recv(fd_.get(), bytes, sizeof bytes, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) throw std::runtime_error("the master ended before it answered");
    line.append(bytes, static_cast<std::size_t>(size));
    if (line.back() == '\n') return line;
  }
}

void ControlClient::waitForEnd() {
  while (true) {
    waitReadable(fd_.get(), std::nullopt);
    char bytes[256];
    const ssize_t size = ::recv(fd_.get(), bytes, sizeof bytes, 0);
    if (size == 0 || (size < 0 && errno != EINTR)) break;
  }
  if (master_.valid()) waitReadable(master_.get(), std::nullopt);
}

}  // namespace stormo::process
