#pragma once

#include <stormo/result.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

#include "sys/address.h"
#include "sys/unique_fd.h"

namespace stormo {

/// The Error of the step that just failed, from errno.
Error lastError(const char* step);

struct ListenOptions {
  int backlog = 4096;
  /// Allows several sockets to listen on one TCP address; the kernel spreads clients over them.
  bool reusePort = false;
  /// IPv6: accepts no IPv4 clients. Otherwise [::] accepts both, whatever net.ipv6.bindv6only is.
  bool v6Only = false;
};

/// A listening, non-blocking, close-on-exec stream socket. Replaces a stale unix socket file (one
/// on which no process listens); anything else at that path gives "address already in use".
Result<UniqueFd> listenOn(const Address& address, const ListenOptions& options = {});

/// The reason why this path cannot be listened on, as a sentence with the remedy: "a server listens
/// there; ...". Empty if there is no file, or a stale socket.
std::string obstacleAt(const Address& unixPath);

/// Starts a non-blocking connect. The socket becomes writable when it has ended; see
/// connectOutcome().
Result<UniqueFd> connectTo(const Address& address);

/// Result of a connect that was started.
Result<void> connectOutcome(int fd);

/// The address of a bound socket (after a bind to port 0: the port chosen by the kernel).
Address localAddress(int fd);
Address peerAddress(int fd);

/// Makes connectTo() reach the unix socket at this path through a descriptor, in this process and
/// its later forks, even if the file is removed or its directory is not accessible to this user.
/// For sockets on which this process listens.
Result<void> holdSocket(const Address& address);
void releaseSocket(const Address& address);
/// The descriptors of those that are held, by path, for a process that is not forked; it adopts
/// them.
std::map<std::string, int> heldSocketFds();
void adoptHeldSocket(const std::string& path, UniqueFd held);
/// Lets processes of any user connect to a held socket, whose file must be removed before.
Result<void> openHeldSocket(const Address& address);
[[nodiscard]] bool isHeldSocket(std::string_view path);

/// Sends small messages immediately (TCP_NODELAY). No-op for unix sockets.
void setNoDelay(int fd);

/// TCP keepalive: probes a peer that is idle for 60 s, and fails the connection (ETIMEDOUT) after
/// six unanswered probes in another 60 s. Accepted sockets inherit it from a listening one. No-op
/// for unix sockets.
void setKeepAlive(int fd);

/// True if the socket has SO_REUSEPORT: several sockets listen on its port, and the kernel
/// distributes the clients. Never for unix sockets.
[[nodiscard]] bool sharesPort(int listening);

/// The number of clients that wait to be accepted by a listening socket. Unix sockets: 0 if none
/// waits, else an unspecified number. 0 if the socket does not listen.
[[nodiscard]] std::size_t waitingConnections(int listening);

/// Size of the kernel's buffer for output that the peer has not read, limited by net.core.wmem_max.
void setSendBuffer(int fd, std::size_t bytes);

/// SIOCOUTQ: what the kernel still holds of the output of a connected socket. TCP: the bytes that
/// the peer's kernel has not acknowledged. Unix sockets: the kernel's memory for the output that
/// the peer has not read, which is freed in pieces of up to about 48 KiB. 0 if the socket has none.
[[nodiscard]] std::size_t kernelOutputBytes(int fd);

/// TCP_NOTSENT_LOWAT: about the number of bytes that the kernel accepts beyond the peer's receive
/// window. No-op for unix sockets.
void setUnsentBytesMax(int fd, std::size_t bytes);

/// TCP_USER_TIMEOUT: fails the connection when sent bytes stay unacknowledged for this long, or
/// when the peer's receive window stays closed for this long. No-op for unix sockets.
void setUnacknowledgedTimeout(int fd, std::chrono::milliseconds timeout);

}  // namespace stormo
