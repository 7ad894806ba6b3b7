#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "support/deadline.h"
#include "sys/address.h"
#include "sys/unique_fd.h"

namespace stormo::integration {

using test::Deadline;

/// One plain connection to this machine, over TCP or a unix socket, for protocols other than
/// WebSocket. Its calls wait until the deadline at most, and throw std::runtime_error at the
/// deadline or if the connection fails.
class TcpPeer {
 public:
  TcpPeer(const Deadline& deadline, std::uint16_t port);
  TcpPeer(const Deadline& deadline, const Address& address);

  void send(std::string_view bytes);
  /// Everything up to and including `end`.
  std::string readThrough(std::string_view end);
  std::string readExactly(std::size_t bytes);
  /// All bytes until the other end closes.
  std::string readToEnd();
  void close() { fd_.reset(); }

 private:
  /// False at the end of the stream.
  bool readMore(const char* what);

  const Deadline& deadline_;
  UniqueFd fd_;
  std::string buffer_;
};

/// Sends one HTTP request as it is, and returns the whole response.
std::string httpExchange(const Deadline& deadline, std::uint16_t port, std::string_view request);

}  // namespace stormo::integration
