#pragma once

#include <stormo/value.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "integration/harness/tcp_peer.h"

namespace stormo::integration {

/// A peer of the Channel in Workerman's dialect, like a PHP process. Its calls wait as those of
/// TcpPeer.
class WorkermanPeer {
 public:
  struct Event {
    std::string channel;
    Value data;
  };

  WorkermanPeer(const Deadline& deadline, std::uint16_t port) : tcp_(deadline, port) {}

  void subscribe(std::initializer_list<std::string_view> channels);
  void publish(std::string_view channel, const Value& data);
  void watch(std::string_view queue);
  void reserve();
  void enqueue(std::string_view queue, const Value& data);

  /// The next event or job.
  Event next();

 private:
  void sendFrame(const std::string& payload);

  TcpPeer tcp_;
};

}  // namespace stormo::integration
