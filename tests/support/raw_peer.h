#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "sys/unique_fd.h"

namespace stormo::test {

/// The other end of a connection, without any protocol. Never blocks.
class RawPeer {
 public:
  RawPeer() = default;
  explicit RawPeer(UniqueFd fd) : fd_(std::move(fd)) {}

  /// Connects to a TCP port of this machine; not valid() if no process listens.
  static RawPeer connect(std::uint16_t port);

  [[nodiscard]] bool valid() const { return fd_.valid(); }
  [[nodiscard]] int fd() const { return fd_.get(); }

  /// Returns the number of bytes that the kernel accepted.
  std::size_t send(std::string_view bytes);
  /// Reads up to `bytesMax` available bytes into received(). Returns true if there were any, or the
  /// end.
  bool receive(std::size_t bytesMax = ~std::size_t{0});
  /// All bytes received and not taken.
  [[nodiscard]] std::string& received() { return received_; }
  /// Reads what is available, then returns received().
  const std::string& drain() {
    receive();
    return received_;
  }
  /// Reads what is available, then returns and removes all received bytes.
  [[nodiscard]] std::string take() {
    receive();
    return std::exchange(received_, {});
  }

  /// True after the end: an orderly close or a reset.
  [[nodiscard]] bool ended() {
    receive();
    return ended_;
  }
  [[nodiscard]] bool wasReset() {
    receive();
    return reset_;
  }

  void endOutput();  ///< Half-closes: end of file for the other side, whose output is still read.
  void close() { fd_.reset(); }
  void reset();  ///< Closes TCP with an RST.

 private:
  UniqueFd fd_;
  std::string received_;
  bool ended_ = false;
  bool reset_ = false;
};

/// Both ends of one connection; the first is non-blocking, for the code under test.
struct SocketPair {
  UniqueFd tested;
  RawPeer peer;
};
SocketPair unixPair();
/// Over loopback TCP, for tests of buffers, half-closing and resets.
SocketPair tcpPair();
/// Makes the kernel's send buffer of `fd` small, so that few bytes fill it.
void shrinkSendBuffer(int fd);

}  // namespace stormo::test
