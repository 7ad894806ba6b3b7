// The generator's connections: connect(2), handshake, sending and receiving.
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <span>
#include <stdexcept>
#include <system_error>

#include "bench/generator.h"
#include "sys/sockets.h"

namespace stormo::bench {
namespace {

constexpr std::size_t kHandshakesAtOnce = 128;
constexpr std::size_t kAnswerBytesMax = 16 << 10;

// One loopback address has 28,000 ports for its connections, and finding a free one takes longer
// the fewer are left. 127.0.0.0/8 has enough addresses to change it regularly.
constexpr std::size_t kMembersPerAddress = 1000;

void bindToOwnLoopback(int fd, const Address& server, std::size_t member) {
  if (server.family() != AF_INET || !server.isLocal()) return;
  const std::size_t address = member / kMembersPerAddress;
  const int on = 1;
  ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const Address own =
      *Address::ip(fmt::format("127.0.{}.{}", address / 250 % 250, address % 250 + 1), 0);
  if (::bind(fd, own.raw(), own.size()) < 0) {
    throw std::system_error(errno, std::generic_category(), "bind");
  }
}

void acknowledgeNow(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

std::string systemText(int error) { return std::generic_category().message(error); }

}  // namespace

void Generator::connectMore() {
  while (handshaking_ < kHandshakesAtOnce && nextToConnect_ < members_.size()) {
    connect(members_[nextToConnect_++]);
  }
}

void Generator::connect(Member& member) {
  member.fd.reset(::socket(plan_.server.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!member.fd.valid()) throw std::system_error(errno, std::generic_category(), "socket");
  bindToOwnLoopback(member.fd.get(), plan_.server, member.number);
  setNoDelay(member.fd.get());
  ++handshaking_;
  member.state = Member::State::Handshake;
  if (::connect(member.fd.get(), plan_.server.raw(), plan_.server.size()) < 0 &&
      errno != EINPROGRESS) {
    return close(member, "connect: " + systemText(errno));
  }
  if (plan_.tls == nullptr) {
    member.unsent = requestOf(member);
  } else {
    beginTls(member);
  }
  watch(member, EPOLL_CTL_ADD);
}

std::string Generator::requestOf(const Member& member) const {
  return expand(request_, groupName(member.group), "");
}

void Generator::watch(Member& member, int operation) {
  epoll_event event{};
  event.events = EPOLLIN | (member.unsent.empty() ? 0U : EPOLLOUT);
  event.data.u32 = static_cast<std::uint32_t>(&member - members_.data());
  if (::epoll_ctl(epoll_.get(), operation, member.fd.get(), &event) < 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
}

void Generator::send(Member& member, std::string_view bytes) {
  if (member.tls != nullptr) return encrypt(member, bytes);
  sendRaw(member, bytes);
}

void Generator::sendRaw(Member& member, std::string_view bytes) {
  if (!member.fd.valid() || bytes.empty()) return;
  if (!member.unsent.empty()) {
    member.unsent += bytes;
    return;
  }
  const ssize_t sent = ::send(member.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) {
    // The first send reports the result of the connect.
    const bool isFirst = member.state == Member::State::Handshake;
    return close(member, (isFirst ? "connect: " : "send: ") + systemText(errno));
  }
  const std::size_t taken = sent < 0 ? 0 : static_cast<std::size_t>(sent);
  if (taken == bytes.size()) return;
  member.unsent = bytes.substr(taken);
  watch(member, EPOLL_CTL_MOD);
}

void Generator::flush(Member& member) {
  if (!member.fd.valid() || member.unsent.empty()) return;
  const std::string bytes = std::exchange(member.unsent, {});
  sendRaw(member, bytes);
  if (member.fd.valid() && member.unsent.empty()) watch(member, EPOLL_CTL_MOD);
}

void Generator::onReadable(Member& member) {
  if (!member.fd.valid()) return;
  if (member.tls != nullptr) return onRecords(member);
  if (member.counting) return countBytes(member);
  const std::span<char> space = spaceAfterUnread(member);
  if (space.empty()) return;
  if (const std::size_t got = receive(member, space); got > 0) take(member, got);
}

std::size_t Generator::receive(Member& member, std::span<char> buffer) {
  const ssize_t got = ::recv(member.fd.get(), buffer.data(), buffer.size(), 0);
  if (got > 0) {
    if (plan_.quickAck) acknowledgeNow(member.fd.get());
    return static_cast<std::size_t>(got);
  }
  if (got == 0) {
    close(member, "the server closed the connection");
  } else if (errno != EAGAIN && errno != EINTR) {
    close(member, "recv: " + systemText(errno));
  }
  return 0;
}

std::span<char> Generator::spaceAfterUnread(Member& member) {
  const std::size_t kept = member.unread.copy(input_.data(), member.unread.size());
  if (kept == input_.size()) close(member, "a frame is too long for this generator");
  return std::span(input_).subspan(kept);
}

void Generator::take(Member& member, std::size_t count) {
  std::string_view bytes(input_.data(), member.unread.size() + count);
  if (member.state == Member::State::Handshake && !takeHandshakeAnswer(member, bytes)) return;
  try {
    readFrames(member, bytes);
  } catch (const std::runtime_error& broken) {
    close(member, broken.what());
  }
}

bool Generator::takeHandshakeAnswer(Member& member, std::string_view& bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == bytes.npos) {
    if (bytes.size() > kAnswerBytesMax) close(member, "the response to the handshake has no end");
    member.unread = bytes;
    return false;
  }
  const std::string_view head = bytes.substr(0, end);
  if (!head.starts_with("HTTP/1.1 101") || head.find(accept_) == head.npos) {
    close(member, "the server refused: " + std::string(head.substr(0, head.find('\r'))));
    return false;
  }
  bytes.remove_prefix(end + 4);
  --handshaking_;
  member.state = Member::State::Greeting;
  if (!plan_.hello.empty()) {
    send(member, clientFrame(websocket::Opcode::Text, expand(plan_.hello, "", "")));
  }
  if (member.v1 != nullptr) {
    send(member, member.v1->greeting());
  } else if (plan_.helloReply.empty()) {
    join(member);
  }
  return true;
}

void Generator::join(Member& member) {
  if (member.state != Member::State::Greeting) return;
  member.state = Member::State::Joined;
  if (!plan_.join.empty()) {
    const std::string text = expand(plan_.join, groupName(member.group), "");
    send(member, clientFrame(websocket::Opcode::Text, text));
  }
  own_.open.add();
}

void Generator::close(Member& member, std::string_view why) {
  if (member.hasJoined) return comeBack(member, why);
  if (member.state == Member::State::Handshake) --handshaking_;
  member.state = Member::State::Closed;
  member.fd.reset();
  own_.firstFault.set(why);
  own_.closed.add();
}

}  // namespace stormo::bench
