#include "process/json_pipe.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

#include "sys/log.h"

namespace stormo::process {
namespace {

UniqueFd copyOf(const UniqueFd& descriptor) {
  return UniqueFd(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 0));
}

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

}  // namespace

std::optional<std::pair<UniqueFd, UniqueFd>> JsonPipe::pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0) {
    return std::nullopt;
  }
  return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

JsonPipe::JsonPipe(EventLoop& loop, UniqueFd fd, OnPacket onPacket, std::function<void()> onEnd)
    : loop_(loop),
      fd_(std::move(fd)),
      onPacket_(std::move(onPacket)),
      onEnd_(std::move(onEnd)),
      watch_(loop.watch(fd_.get(), EPOLLIN, [this](std::uint32_t events) { onReady(events); })) {}

JsonPipe::~JsonPipe() {
  if (watch_ != 0) loop_.unwatch(watch_);
}

void JsonPipe::send(const Json& packet, const UniqueFd* descriptor) {
  if (watch_ == 0) return;
  const bool wasEmpty = output_.empty();
  output_.push_back({.text = packet.dump(-1, ' ', false, Json::error_handler_t::replace),
                     .descriptor = descriptor == nullptr ? UniqueFd() : copyOf(*descriptor)});
  if (wasEmpty) flush();
}

void JsonPipe::flush() {
  while (!output_.empty()) {
    const auto& [packet, descriptor] = output_.front();
    if (sendPacket(fd_.get(), packet, descriptor) < 0) {
      if (errno == EAGAIN) {
        loop_.rewatch(watch_, EPOLLIN | EPOLLOUT);
        return;
      }
      // A closed end (EPIPE) is reported by reading.
      if (errno != EPIPE)
        log::error("cannot send a packet bytes={} error={}", packet.size(), errno);
    }
    output_.pop_front();
  }
  loop_.rewatch(watch_, EPOLLIN);
}

void JsonPipe::onReady(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) flush();
  if ((events & ~std::uint32_t{EPOLLOUT}) != 0) drain();
}

ssize_t JsonPipe::receive(char* into) {
  iovec bytes{.iov_base = into, .iov_len = kPacketBytesMax};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = ::recvmsg(fd_.get(), &message, MSG_CMSG_CLOEXEC);
  if (size <= 0) return size;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  const bool hasDescriptor = header != nullptr && header->cmsg_level == SOL_SOCKET &&
                             header->cmsg_type == SCM_RIGHTS &&
                             header->cmsg_len == CMSG_LEN(sizeof(int));
  int descriptor = -1;
  if (hasDescriptor) std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  received_.reset(descriptor);  // closes one that was not taken
  return size;
}

void JsonPipe::drain() {
  static std::array<char, kPacketBytesMax>
      packet;  // one thread, and no handler drains inside another
  while (watch_ != 0) {
    const ssize_t size = receive(packet.data());
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) return end();
    const Json parsed = Json::parse(packet.data(), packet.data() + size, nullptr, false);
    if (!parsed.is_object()) {
      log::error("a packet is no JSON object bytes={}", size);
      continue;
    }
    try {
      onPacket_(parsed);
    } catch (const Json::exception& wrong) {
      log::error("a packet has invalid fields what=\"{}\"", wrong.what());
    }
  }
}

void JsonPipe::end() {
  loop_.unwatch(watch_);
  watch_ = 0;
  output_.clear();
  onEnd_();
}

}  // namespace stormo::process
