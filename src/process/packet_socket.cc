#include "process/packet_socket.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace stormo::process {

ssize_t sendPacket(int fd, std::string_view packet, const UniqueFd& descriptor) {
  iovec bytes{.iov_base = const_cast<char*>(packet.data()), .iov_len = packet.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  if (descriptor.valid()) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = descriptor.get();
    std::memcpy(CMSG_DATA(header), &number, sizeof number);
  }
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

ssize_t receivePacket(int fd, std::span<char> into, UniqueFd& descriptor) {
  iovec bytes{.iov_base = into.data(), .iov_len = into.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t size = 0;
  // ECONNRESET: the other end has closed without reading all. What it sent before comes after this.
  do {
    size = ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == ECONNRESET);
  if (size <= 0) return size;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  const bool hasDescriptor = header != nullptr && header->cmsg_level == SOL_SOCKET &&
                             header->cmsg_type == SCM_RIGHTS &&
                             header->cmsg_len == CMSG_LEN(sizeof(int));
  int number = -1;
  if (hasDescriptor) std::memcpy(&number, CMSG_DATA(header), sizeof number);
  descriptor.reset(number);
  return size;
}

}  // namespace stormo::process
