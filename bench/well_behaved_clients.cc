#include "well_behaved_clients.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <stdexcept>

#include "hostile_attacks.h"
#include "sys/sockets.h"

namespace stormo::bench {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kMessageBytes = 64;
constexpr std::chrono::nanoseconds kBetweenMessages{1'000'000'000 /
                                                    WellBehavedClients::kMessagesPerSecond};
constexpr std::chrono::seconds kDeliveryTimeout{5};  // without any input from the server
constexpr int kNiceness = -10;

std::uint64_t nowNs() {
  return static_cast<std::uint64_t>(steady_clock::now().time_since_epoch().count()) &
         ((std::uint64_t{1} << 48) - 1);
}

}  // namespace

WellBehavedClients::WellBehavedClients(const Address& server)
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), buffer_(256 << 10) {
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    Client& client = clients_[i];
    auto socket = connectTo(server);
    if (!socket) throw std::runtime_error(socket.error().message());
    client.fd = std::move(*socket);
    setNoDelay(client.fd.get());
    const std::string group = fmt::format("clients-{}", i / kGroupSize);
    client.frame = std::make_unique<PublishFrame>(
        R"({"cmd":"send_to_group","group_id":"{group}","message":"{message}"})", group,
        kMessageBytes);
    client.unsent = upgradeRequest() +
                    clientFrame(websocket::Opcode::Text,
                                fmt::format(R"({{"cmd":"add_group","group_id":"{}"}})", group));
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.u64 = i;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.fd.get(), &event);
  }
  thread_ = std::thread([this] { run(); });
}

WellBehavedClients::~WellBehavedClients() { finish(); }

void WellBehavedClients::finish() {
  finishing_ = true;
  if (thread_.joinable()) thread_.join();
}

void WellBehavedClients::run() {
  // So that the clock does not wait for a processor used by the attack. Without the privilege it
  // does.
  ::setpriority(PRIO_PROCESS, 0, kNiceness);
  ::prctl(PR_SET_TIMERSLACK, 1UL);
  std::array<epoll_event, 256> events;
  std::size_t next = 0;
  auto due = steady_clock::now() + std::chrono::milliseconds(100);
  auto lastProgress = due;
  std::uint64_t seen = 0;
  for (;;) {
    const auto now = steady_clock::now();
    if (!finishing_) {
      for (; due <= now; due += kBetweenMessages, ++next) {
        const std::size_t number = next * 7 % kClients;  // group by group
        publish(clients_[number], static_cast<std::uint32_t>(number));
      }
    } else if (allReceived() || now - lastProgress > kDeliveryTimeout) {
      return;
    }
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 1);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      Client& client = clients_[event.data.u64];
      if ((event.events & EPOLLOUT) != 0 && client.fd.valid()) send(client, {});
      if ((event.events & ~std::uint32_t{EPOLLOUT}) != 0 && client.fd.valid()) read(client);
    }
    if (std::exchange(seen, receivedTotal_) != receivedTotal_) lastProgress = now;
  }
}

bool WellBehavedClients::allReceived() const {
  return std::ranges::all_of(
      figures_, [](const Figures& figures) { return figures.latency.count() >= figures.expected; });
}

void WellBehavedClients::publish(Client& client, std::uint32_t number) {
  if (!client.fd.valid()) return;
  const auto phase = static_cast<std::size_t>(phase_.load());
  if (phase == 0 && !client.upgraded) return;  // its group may have no members yet
  figures_[phase].expected += kGroupSize;
  send(client, client.frame->stamped({.publisher = number,
                                      .sequence = static_cast<std::uint32_t>(phase),
                                      .sentNs = nowNs()}));
}

void WellBehavedClients::send(Client& client, std::string_view bytes) {
  if (!client.unsent.empty()) {
    client.unsent += bytes;
    bytes = client.unsent;
  }
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t count = ::send(client.fd.get(), bytes.data() + sent, bytes.size() - sent,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) {
      if (errno != EAGAIN) return lost(client);
      break;
    }
    sent += static_cast<std::size_t>(count);
  }
  client.unsent = std::string(bytes.substr(sent));
}

void WellBehavedClients::read(Client& client) {
  for (;;) {
    const ssize_t count = ::recv(client.fd.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return lost(client);
    client.received.append(buffer_.data(), static_cast<std::size_t>(count));
    takeFrames(client);
  }
}

void WellBehavedClients::takeFrames(Client& client) {
  std::string_view rest = client.received;
  if (!client.upgraded) {
    const std::size_t end = rest.find("\r\n\r\n");
    if (end == rest.npos) return;
    client.upgraded = true;
    rest.remove_prefix(end + 4);
  }
  const std::uint64_t now = nowNs();
  websocket::ServerFrame frame;
  while (readServerFrame(rest, frame)) {
    rest.remove_prefix(frame.bytes);
    const auto stamp = readStamp(frame.payload);
    if (!stamp || stamp->sequence >= kHostilePhases) continue;
    figures_[stamp->sequence].latency.record(elapsedNs(stamp->sentNs, now));
    ++receivedTotal_;
  }
  client.received.erase(0, client.received.size() - rest.size());
}

void WellBehavedClients::lost(Client& client) {
  client.fd.reset();
  ++disconnected_;
}

}  // namespace stormo::bench
