#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "sys/unique_fd.h"

namespace stormo::test {

/// The other end of a connection, as bare as it comes: bytes out, bytes in. Never blocks.
class RawPeer {
 public:
  RawPeer() = default;
  explicit RawPeer(UniqueFd fd) : fd_(std::move(fd)) {}

  /// Connects to a TCP port of this machine; not valid() if nobody listens.
  static RawPeer connect(std::uint16_t port);

  [[nodiscard]] bool valid() const { return fd_.valid(); }
  [[nodiscard]] int fd() const { return fd_.get(); }

  /// Gives how many of the bytes the kernel took.
  std::size_t send(std::string_view bytes);
  /// Reads up to `bytesMax` of what is there into received(). True if something came, or the end.
  bool receive(std::size_t bytesMax = ~std::size_t{0});
  /// All that came and was not taken away.
  [[nodiscard]] std::string& received() { return received_; }
  /// The same after reading what is there.
  const std::string& drain() {
    receive();
    return received_;
  }
  /// What has come by now, and is not asked for again.
  [[nodiscard]] std::string take() {
    receive();
    return std::exchange(received_, {});
  }

  /// Nothing more will come: by an orderly end, or by a reset.
  [[nodiscard]] bool ended() {
    receive();
    return ended_;
  }
  [[nodiscard]] bool wasReset() {
    receive();
    return reset_;
  }

  void endOutput();  ///< An end of file for the other side; its output is still read.
  void close() { fd_.reset(); }
  void reset();  ///< TCP: closes with an RST.

 private:
  UniqueFd fd_;
  std::string received_;
  bool ended_ = false;
  bool reset_ = false;
};

/// Two ends of one connection: the first for the side that is tested, non-blocking.
struct SocketPair {
  UniqueFd tested;
  RawPeer peer;
};
SocketPair unixPair();
/// Over loopback TCP, where buffers, half-closing and resets are as in real life.
SocketPair tcpPair();
/// Small kernel buffers for what `fd` sends, so that few bytes fill them.
void shrinkSendBuffer(int fd);

}  // namespace stormo::test
