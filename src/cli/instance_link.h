#pragma once

#include <stormo/backend.h>
#include <stormo/channel.h>
#include <stormo/event_loop.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace stormo::cli {

/// The link of a command to the Channel of a running instance on this machine, or to another
/// Channel.
class InstanceLink {
 public:
  /// Adds --instance, --runtime-dir, --channel and --channel-secret-file.
  void addOptions(CLI::App& app);

  /// Connects. Throws std::runtime_error, with a sentence for the user.
  void open();

  [[nodiscard]] Channel& channel() { return *channel_; }
  [[nodiscard]] Backend& backend() { return *backend_; }

  /// Drives the loop until `isDone()`. Throws std::runtime_error, "WHAT, …", after `timeout`; zero:
  /// never.
  void runUntil(const std::string& what, const std::function<bool()>& isDone,
                std::chrono::milliseconds timeout = std::chrono::seconds(10));
  /// Drives the loop until `fd` can be read without waiting. A file always can.
  void runUntilReadable(int fd);

 private:
  [[nodiscard]] std::string address() const;

  std::string instance_ = "stormo";
  std::string runtimeDirectory_;
  std::string url_;
  std::string secretFile_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Channel> channel_;
  std::unique_ptr<Backend> backend_;
};

/// The value of a reply of the Backend, for which the loop is driven. Throws std::runtime_error.
template <typename Made, typename Ask>
Made replyTo(InstanceLink& link, const Ask& ask) {
  std::optional<Result<Made>> reply;
  ask([&reply](const Result<Made>& made) { reply = made; });
  link.runUntil("no reply of the server", [&] { return reply.has_value(); });
  if (!*reply) throw std::runtime_error("the server cannot be asked: " + reply->error().message());
  return reply->value();
}

}  // namespace stormo::cli
