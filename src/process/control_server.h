#pragma once

#include <stormo/event_loop.h>
#include <stormo/timer.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "process/json_fwd.h"
#include "sys/clock.h"
#include "sys/unique_fd.h"

namespace stormo::process {

/// The master's side of the control socket. A request is a JSON object on one line, and so is its
/// answer. Only the socket's owner may connect (the file's mode is 0600). A client that neither
/// sends nor reads for 30 s is disconnected. Clients do not affect each other.
class ControlServer {
 public:
  /// Answers one request, immediately or later. To be called once; no effect if the client has
  /// disconnected.
  using Reply = std::function<void(const Json& answer)>;
  using Handler = std::function<void(const Json& request, Reply reply)>;

  /// Throws std::runtime_error.
  ControlServer(EventLoop& loop, std::string path, Handler handler);
  /// Closes everything and removes the socket.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// Creates the socket, and replaces one whose file was deleted. Throws std::runtime_error.
  void listen();
  /// True if the socket's file exists.
  [[nodiscard]] bool isReachable() const;
  /// Removes the socket. Connected clients stay. Idempotent.
  void stopListening();

  /// In a forked child: closes the descriptors, without a change to the loop or the file.
  void abandon();

 private:
  static constexpr std::size_t kClientsMax = 64;
  static constexpr std::size_t kRequestBytesMax = 16 << 10;
  static constexpr auto kIdleMax = std::chrono::seconds(30);
  static constexpr auto kPauseWithoutFiles = std::chrono::milliseconds(100);

  struct Client {
    UniqueFd fd;
    EventLoop::WatchId watch = 0;
    std::string input;
    std::string output;
    std::size_t outputSent = 0;
    bool waiting = false;  // for the answer to its request
    TimePoint lastMove;
  };

  void onConnect();
  void pause();
  void onReady(std::uint64_t id, std::uint32_t events);
  void handleInput(std::uint64_t id);
  void answer(std::uint64_t id, const Json& answer);
  void flush(std::uint64_t id);
  void drop(std::uint64_t id);
  void dropIdle();

  EventLoop& loop_;
  const std::string path_;
  const Handler handler_;
  UniqueFd listener_;
  UniqueFd file_;                 // the socket's file, O_PATH
  EventLoop::WatchId watch_ = 0;  // 0 while no client is accepted
  Timer::Id resumeTimer_ = 0;
  Timer::Id idleTimer_ = 0;
  std::map<std::uint64_t, Client> clients_;
  std::uint64_t nextId_ = 0;
};

}  // namespace stormo::process
