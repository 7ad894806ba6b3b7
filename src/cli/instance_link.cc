#include "cli/instance_link.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <stdexcept>
#include <system_error>

#include "cli/secrets.h"
#include "process/command_line.h"
#include "process/instance.h"

namespace stormo::cli {

using std::chrono::milliseconds;

void InstanceLink::addOptions(CLI::App& app) {
  app.add_option("--instance", instance_, "Name of the instance")->capture_default_str();
  app.add_option("--runtime-dir", runtimeDirectory_,
                 "Directory of the instances (default: $STORMO_RUNTIME_DIR, else " +
                     process::defaultRuntimeDirectory() + ")");
  app.add_option("--channel", url_,
                 "Channel to use instead: unix:///path or stormo://host:2206, stormos:// with TLS");
  process::takesFile(app.add_option("--channel-secret-file", secretFile_,
                                    "File with the secret of the Channel, if it has one (default: "
                                    "$STORMO_CHANNEL_SECRET)"));
}

std::string InstanceLink::address() const {
  if (!url_.empty()) return url_;
  const process::Instance instance(process::runtimeDirectory(runtimeDirectory_), instance_);
  const std::string path = instance.backendPath();
  if (::access(path.c_str(), W_OK) == 0) return "unix://" + path;
  if (errno == EACCES) {
    throw std::runtime_error(
        fmt::format("cannot use {}: it belongs to another user (use that user, or the HTTP API)",
                    instance.directory()));
  }
  if (instance.runningPid()) {
    throw std::runtime_error(fmt::format(
        "{} runs without a Channel of its own: give the address of its Channel with --channel",
        instance.text()));
  }
  throw std::runtime_error(fmt::format(
      "{} does not run (stormo start; or name another with --instance)", instance.text()));
}

void InstanceLink::open() {
  const std::string url = address();
  const Secrets secrets = readSecrets(secretFile_, kChannelSecretVariable);
  loop_ = std::make_unique<EventLoop>();
  channel_ = std::make_unique<Channel>(url, ChannelOptions{.secret = secrets.current});
  backend_ = std::make_unique<Backend>(*channel_);
  channel_->connect();
  runUntil(
      fmt::format("no link to the Channel at {}{}", url,
                  secrets.current.empty() ? " (does it have a secret? --channel-secret-file)" : ""),
      [this] { return channel_->isConnected(); }, std::chrono::seconds(5));
}

void InstanceLink::runUntil(const std::string& what, const std::function<bool()>& isDone,
                            milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (!isDone()) {
    if (timeout.count() > 0 && std::chrono::steady_clock::now() >= end) {
      throw std::runtime_error(fmt::format("{} within {} s", what, timeout.count() / 1000));
    }
    loop_->turn(milliseconds(100));
  }
}

void InstanceLink::runUntilReadable(int fd) {
  bool isReadable = false;
  EventLoop::WatchId watch = 0;
  try {
    watch = loop_->watch(fd, EPOLLIN, [&](std::uint32_t) { isReadable = true; });
  } catch (const std::system_error&) {
    return;  // epoll knows no files
  }
  runUntil(
      "", [&] { return isReadable; }, milliseconds(0));
  loop_->unwatch(watch);
}

}  // namespace stormo::cli
