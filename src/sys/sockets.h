#pragma once

#include <stormo/result.h>

#include <chrono>
#include <cstddef>
#include <string>

#include "sys/address.h"
#include "sys/unique_fd.h"

namespace stormo {

/// The Error of the call that just failed (errno) in that step.
Error lastError(const char* step);

struct ListenOptions {
  int backlog = 4096;
  /// Several sockets may listen on one TCP address, and the kernel spreads clients over them.
  bool reusePort = false;
  /// IPv6: IPv4 clients are not taken. Else [::] takes both, whatever net.ipv6.bindv6only says.
  bool v6Only = false;
};

/// A listening, non-blocking, close-on-exec stream socket. A stale unix socket file (nobody listens
/// behind it) is replaced; anything else at that path gives "address already in use".
Result<UniqueFd> listenOn(const Address& address, const ListenOptions& options = {});

/// Why nobody can listen on that path, as a sentence with the remedy: "a server listens there".
/// Empty if no file is there, or a socket behind which nobody listens.
std::string obstacleAt(const Address& unixPath);

/// Starts a non-blocking connect. The socket becomes writable when it is done; see
/// connectOutcome().
Result<UniqueFd> connectTo(const Address& address);

/// How a started connect ended.
Result<void> connectOutcome(int fd);

/// The address that the kernel gave a socket (after a bind to port 0).
Address localAddress(int fd);
Address peerAddress(int fd);

/// From now on connectTo() reaches the unix socket at this path by a descriptor, in this process
/// and in those forked from it: also when its file is gone, or is in a directory that this user may
/// not pass through. For sockets that this process listens on.
Result<void> holdSocket(const Address& address);
void releaseSocket(const Address& address);
/// Lets processes of any user connect to a held socket, whose file must be removed before.
Result<void> openHeldSocket(const Address& address);
[[nodiscard]] bool isHeldSocket(std::string_view path);

/// Small messages leave at once. No-op for unix sockets.
void setNoDelay(int fd);

/// The kernel looks after a peer that is silent for a minute, and fails the connection (ETIMEDOUT)
/// when it has not answered six probes in another minute. Accepted sockets inherit it from a
/// listening one. No-op for unix sockets.
void setKeepAlive(int fd);

/// The kernel takes so many bytes of output that the peer has not read; fewer, if net.core.wmem_max
/// says so.
void setSendBuffer(int fd, std::size_t bytes);

/// TCP: the kernel takes about so many bytes beyond those that the peer has room for. No-op for
/// unix sockets.
void setUnsentBytesMax(int fd, std::size_t bytes);

/// TCP: the connection fails after so long without an acknowledgement of bytes sent, or with a peer
/// that takes none. No-op for unix sockets.
void setUnacknowledgedTimeout(int fd, std::chrono::milliseconds timeout);

}  // namespace stormo
