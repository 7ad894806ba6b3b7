#include "process/json_pipe.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "process/packet_socket.h"
#include "sys/log.h"

namespace stormo::process {
namespace {

UniqueFd copyOf(const UniqueFd& descriptor) {
  return UniqueFd(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 0));
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

void JsonPipe::drain() {
  static std::array<char, kPacketBytesMax>
      packet;  // one thread, and no handler drains inside another
  while (watch_ != 0) {
    // Closes an earlier descriptor that was not taken.
    const ssize_t size = receivePacket(fd_.get(), packet, received_);
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
