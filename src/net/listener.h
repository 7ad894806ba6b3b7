#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "event/loop_impl.h"
#include "net/endpoint.h"
#include "net/fair_share.h"
#include "net/limits/minute_log_limit.h"
#include "sys/address.h"

namespace stormo::net {

class ConnectionTable;

/// Accepts connections from listening sockets, which it does not own, into the table of its loop.
/// Pauses while the system lacks a resource, and leaves some descriptors of the process for other
/// uses, such as links to a Channel: the clients wait in the kernel meanwhile.
class Listener final : EventSink {
 public:
  /// `endpoint` outlives the listener and its connections. `siblings` are the counters of the other
  /// processes that accept from the same unix sockets: a new client is left for some milliseconds
  /// to a sibling that has fewer.
  Listener(EventLoop& loop, const Endpoint& endpoint,
           const std::vector<const Counters*>& siblings = {});
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Accepts from this socket, until stop(). The socket must outlive that. `awaitsProxyHeader`:
  /// only from trusted proxies, which send a header of the PROXY protocol first.
  void start(int fd, bool awaitsProxyHeader = false);
  void stop(int fd);
  void stopAll();

 private:
  struct Socket {
    int fd;
    bool awaitsProxyHeader;
    bool isShared;  ///< Other processes accept from the same socket.
    bool isWatched = false;
    bool isLeft = false;  ///< To the siblings, until the timer fires.
  };

  void onReady(Handle id, std::uint32_t events) override;
  [[nodiscard]] bool acceptFrom(int fd);
  [[nodiscard]] bool isRefused(const Socket& socket, const Address& remote);
  [[nodiscard]] Socket* find(int fd);
  void setOptions(int fd) const;
  void watch(Socket& socket);
  void unwatch(Socket& socket);
  void leave(Socket& socket);
  void acceptLeftOver();
  void resumeAfter(std::chrono::milliseconds wait);
  void pauseFor(const Error& error, bool refused);
  void pauseForReserve();
  void pause(int cause, bool refused, const std::string& why);
  void resume();

  LoopImpl& loop_;
  ConnectionTable& table_;
  const Endpoint& endpoint_;
  FairShare fairShare_;
  LoopImpl::Tag tag_;
  std::vector<Socket> sockets_;
  Handle resumeTimer_;
  bool resumes_ = false;  // the timer will watch the sockets that are not watched now
  bool lacksReserve_ = false;
  struct Cause {
    int error;
    MinuteLogLimit logLimit;
  };
  std::vector<Cause> causes_;  // of pauses
};

}  // namespace stormo::net
