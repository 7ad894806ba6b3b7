#pragma once

#include <stormo/result.h>

#include "sys/address.h"
#include "sys/unique_fd.h"

namespace stormo {

/// The Error of the call that just failed (errno) in that step.
Error lastError(const char* step);

struct ListenOptions {
  int backlog = 4096;
  /// Several sockets may listen on one TCP address, and the kernel spreads clients over them.
  bool reusePort = false;
};

/// A listening, non-blocking, close-on-exec stream socket. A stale unix socket file (nobody listens
/// behind it) is replaced; a live one gives "address already in use".
Result<UniqueFd> listenOn(const Address& address, const ListenOptions& options = {});

/// Starts a non-blocking connect. The socket becomes writable when it is done; see
/// connectOutcome().
Result<UniqueFd> connectTo(const Address& address);

/// How a started connect ended.
Result<void> connectOutcome(int fd);

/// The address that the kernel gave a socket (after a bind to port 0).
Address localAddress(int fd);
Address peerAddress(int fd);

/// Small messages leave at once. No-op for unix sockets.
void setNoDelay(int fd);

}  // namespace stormo
