#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "support/deadline.h"
#include "sys/unique_fd.h"

namespace stormo::integration {

using test::Deadline;

/// One plain connection to this machine, for peers that speak something else than WebSocket. Its
/// calls wait, at most until the deadline, and throw std::runtime_error when that is over or the
/// connection fails.
class TcpPeer {
 public:
  TcpPeer(const Deadline& deadline, std::uint16_t port);

  void send(std::string_view bytes);
  /// Everything up to and including `end`.
  std::string readThrough(std::string_view end);
  std::string readExactly(std::size_t bytes);
  /// What comes until the other side closes.
  std::string readToEnd();
  void close() { fd_.reset(); }

 private:
  /// False at the end of the stream.
  bool readMore(const char* what);

  const Deadline& deadline_;
  UniqueFd fd_;
  std::string buffer_;
};

/// One HTTP request, written out; the whole response.
std::string httpExchange(const Deadline& deadline, std::uint16_t port, std::string_view request);

}  // namespace stormo::integration
