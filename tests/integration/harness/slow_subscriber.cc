#include "integration/harness/slow_subscriber.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <string_view>

#include "protocol/channel/workerman_command.h"
#include "protocol/package/frame.h"
#include "sys/address.h"
#include "sys/sockets.h"

namespace stormo::integration {
namespace {

constexpr std::chrono::milliseconds kInterval{200};
constexpr std::size_t kReadBytes = 1024;

}  // namespace

void SlowSubscriber::advance() {
  const auto now = std::chrono::steady_clock::now();
  if (now < nextRead_) return;
  nextRead_ = now + kInterval;
  pollfd link{.fd = fd_.get(), .events = POLLRDHUP, .revents = 0};
  if (::poll(&link, 1, 0) > 0) fd_.reset();  // before all is read
  if (!fd_.valid()) connect();
  if (!fd_.valid()) return;
  char bytes[kReadBytes];
  const ssize_t size = ::recv(fd_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (size > 0) bytesRead_ += static_cast<std::uint64_t>(size);
}

void SlowSubscriber::connect() {
  auto socket = connectTo(Address::unixPath(path_).value());
  if (!socket) return;  // there is no server at the moment
  const std::array<std::string_view, 1> channels = {"send_to_group"};
  std::string payload;
  channel::encodeWorkerman(channel::CommandType::Subscribe, channels, {}, payload);
  std::string frame;
  appendFrame(payload, frame);
  const ssize_t sent = ::send(socket.value().get(), frame.data(), frame.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(frame.size())) return;
  fd_ = std::move(*socket);
  ++linkCount_;
}

}  // namespace stormo::integration
