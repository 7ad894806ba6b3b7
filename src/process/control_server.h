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

/// The master's side of the control socket: JSON objects, one a line, each answered by one line.
/// Only its owner may connect (the file's mode). A client that hangs is cut off after a while, one
/// that goes away is forgotten, and neither is noticed by anybody else.
class ControlServer {
 public:
  /// Answers one request, at once or later; to be called once. Void if the client has gone.
  using Reply = std::function<void(const Json& answer)>;
  using Handler = std::function<void(const Json& request, Reply reply)>;

  /// Throws std::runtime_error.
  ControlServer(EventLoop& loop, std::string path, Handler handler);
  /// Closes everything and removes the socket.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// Makes the socket, in place of one whose file was deleted. Throws std::runtime_error.
  void listen();
  /// The socket's file is there.
  [[nodiscard]] bool isReachable() const;
  /// Removes the socket; clients that are connected stay. Idempotent.
  void stopListening();

  /// In a forked child: closes the descriptors and leaves loop and file alone.
  void abandon();

 private:
  static constexpr std::size_t kClientsMax = 64;
  static constexpr std::size_t kRequestBytesMax = 16 << 10;
  /// A client that neither asks nor reads for so long is cut off.
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
