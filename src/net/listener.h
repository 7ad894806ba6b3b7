#pragma once

#include <chrono>
#include <vector>

#include "event/loop_impl.h"
#include "net/endpoint.h"

namespace stormo::net {

class ConnectionTable;

/// Accepts from listening sockets, which somebody else owns, into the table of its loop.
class Listener final : EventSink {
 public:
  /// `endpoint` outlives the listener and its connections.
  Listener(EventLoop& loop, const Endpoint& endpoint);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void start(int fd);
  void stop(int fd);
  void stopAll();

 private:
  struct Socket {
    int fd;
    bool isShared;  ///< Other processes accept from this very socket.
    bool isWatched = false;
  };

  void onReady(SlotId id, std::uint32_t events) override;
  [[nodiscard]] bool acceptFrom(int fd);
  [[nodiscard]] Socket* find(int fd);
  void setOptions(int fd) const;
  void watch(Socket& socket);
  void unwatch(Socket& socket);
  void rest(Socket& socket);
  void resumeAfter(std::chrono::milliseconds wait);
  void pause(const Error& error);
  void resume();

  EventLoop::Impl& loop_;
  ConnectionTable& table_;
  const Endpoint& endpoint_;
  EventLoop::Impl::Tag tag_;
  std::vector<Socket> sockets_;
  SlotId resumeTimer_;
  bool resumes_ = false;  // by the timer: what is not watched now
};

}  // namespace stormo::net
