#include "process/packet_link.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "sys/log.h"

namespace stormo::process {

std::optional<std::pair<UniqueFd, UniqueFd>> PacketLink::pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0) {
    return std::nullopt;
  }
  return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

PacketLink::PacketLink(EventLoop& loop, UniqueFd fd, OnPacket onPacket, std::function<void()> onEnd)
    : loop_(loop),
      fd_(std::move(fd)),
      onPacket_(std::move(onPacket)),
      onEnd_(std::move(onEnd)),
      watch_(loop.watch(fd_.get(), EPOLLIN, [this](std::uint32_t events) { onReady(events); })) {}

PacketLink::~PacketLink() {
  if (watch_ != 0) loop_.unwatch(watch_);
}

void PacketLink::send(const Json& packet) {
  if (watch_ == 0) return;
  const bool wasEmpty = output_.empty();
  output_.push_back(packet.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (wasEmpty) flush();
}

void PacketLink::flush() {
  while (!output_.empty()) {
    const std::string& packet = output_.front();
    if (::send(fd_.get(), packet.data(), packet.size(), MSG_NOSIGNAL) < 0) {
      if (errno == EAGAIN) {
        loop_.rewatch(watch_, EPOLLIN | EPOLLOUT);
        return;
      }
      // Of an end that is gone, the reading side will tell.
      if (errno != EPIPE)
        log::error("cannot send a packet bytes={} error={}", packet.size(), errno);
    }
    output_.pop_front();
  }
  loop_.rewatch(watch_, EPOLLIN);
}

void PacketLink::onReady(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) flush();
  if ((events & ~std::uint32_t{EPOLLOUT}) != 0) drain();
}

void PacketLink::drain() {
  static std::array<char, kPacketBytesMax>
      packet;  // one thread, and no handler drains inside another
  while (watch_ != 0) {
    const ssize_t size = ::recv(fd_.get(), packet.data(), packet.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) return end();
    const Json parsed = Json::parse(packet.data(), packet.data() + size, nullptr, false);
    if (!parsed.is_object()) {
      log::error("a packet is not JSON bytes={}", size);
      continue;
    }
    try {
      onPacket_(parsed);
    } catch (const Json::exception& wrong) {
      log::error("a packet has the wrong form what=\"{}\"", wrong.what());
    }
  }
}

void PacketLink::end() {
  loop_.unwatch(watch_);
  watch_ = 0;
  output_.clear();
  onEnd_();
}

}  // namespace stormo::process
