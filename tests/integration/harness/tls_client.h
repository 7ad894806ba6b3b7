#pragma once

#include <poll.h>

#include <cstdint>
#include <string>

#include "support/deadline.h"
#include "support/raw_peer.h"
#include "support/tls_peer.h"

namespace stormo::integration {

/// A client whose handshake of TLS is done. Its calls wait until the deadline at most, and throw
/// std::runtime_error at the deadline.
struct TlsClient {
  TlsClient(const test::Deadline& limit, std::uint16_t port, SSL_SESSION* resumed = nullptr)
      : deadline(limit), socket(test::RawPeer::connect(port)), tls(socket.fd()) {
    if (resumed != nullptr) tls.resume(resumed);
    await([&] { return tls.shakeHands(); });
  }

  template <typename Condition>
  void await(const Condition& condition) {
    while (!condition()) {
      deadline.check("an answer over TLS");
      pollfd ready{.fd = socket.fd(), .events = POLLIN, .revents = 0};
      ::poll(&ready, 1, deadline.pollMilliseconds());
    }
  }
  /// Until `received` contains it.
  void awaitText(const std::string& text) {
    await([&] { return (received += tls.take()).find(text) != std::string::npos; });
  }
  /// Until the server has ended TLS with close_notify.
  void awaitClose() {
    await([&] {
      received += tls.take();
      return tls.isClosed();
    });
  }

  const test::Deadline& deadline;
  test::RawPeer socket;
  test::TlsPeer tls;
  std::string received;
};

}  // namespace stormo::integration
