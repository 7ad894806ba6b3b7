#pragma once

#include <sys/types.h>

#include <span>
#include <string_view>

#include "sys/unique_fd.h"

namespace stormo::process {

// Packets over a SOCK_SEQPACKET socket, each with a descriptor or without.

/// Sends a packet, and a copy of `descriptor` if it is valid. The result of sendmsg(2).
ssize_t sendPacket(int fd, std::string_view packet, const UniqueFd& descriptor = {});

/// Receives a packet. `descriptor` becomes the one that came with it, or invalid. The result of
/// recvmsg(2).
ssize_t receivePacket(int fd, std::span<char> into, UniqueFd& descriptor);

}  // namespace stormo::process
