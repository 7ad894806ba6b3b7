#pragma once

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
  void onReady(SlotId id, std::uint32_t events) override;
  void acceptFrom(int fd);
  void pause();
  void resume();

  EventLoop::Impl& loop_;
  ConnectionTable& table_;
  const Endpoint& endpoint_;
  EventLoop::Impl::Tag tag_;
  std::vector<int> fds_;
  SlotId resumeTimer_;
  bool paused_ = false;
};

}  // namespace stormo::net
