#include "hostile_clients.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "sys/sockets.h"

namespace stormo::bench {
namespace {

constexpr std::size_t kBlockBytes = 16 << 10;
constexpr std::size_t kDiscardBytes = 8 << 20;
constexpr std::size_t kReopenedAtOnce = 10;  // maximum per millisecond
constexpr int kWaitMs = 1;

/// The server's output waits in its own queues, not in the kernel.
void shrinkReceiveBuffer(int fd) {
  const int least = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
}

/// close(2) sends an RST.
void setLinger(int fd) {
  const linger none{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

}  // namespace

HostileClients::HostileClients(const Address& server, std::vector<HostileScript> scripts,
                               int niceness)
    : server_(server), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  for (HostileScript& script : scripts) {
    Group& group = *groups_.emplace_back(std::make_unique<Group>());
    group.script = std::move(script);
    std::shared_ptr<const std::string> lastOpening;
    std::shared_ptr<const std::string> lastBlock;
    std::string lastUnit;
    for (std::size_t i = 0; i < group.script.clients; ++i) {
      Client& client = *group.clients.emplace_back(std::make_unique<Client>());
      client.group = &group;
      std::string opening = group.script.opening(i);
      if (lastOpening == nullptr || opening != *lastOpening) {
        lastOpening = std::make_shared<const std::string>(std::move(opening));
      }
      client.opening = lastOpening;
      if (!group.script.repeated) continue;
      std::string unit = group.script.repeated(i);
      client.unitBytes = unit.size();
      if (unit != lastUnit) {
        std::string block = unit;
        const bool isPaced = group.script.repeatsPerSecond > 0 || group.script.repeatsMax > 0;
        while (!isPaced && block.size() + unit.size() <= kBlockBytes) block += unit;
        lastBlock = std::make_shared<const std::string>(std::move(block));
        lastUnit = std::move(unit);
      }
      client.block = lastBlock;
    }
  }
  thread_ = std::thread([this, niceness] {
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);  // of this thread only
    run();
  });
}

HostileClients::~HostileClients() {
  stopping_ = true;
  thread_.join();
}

void HostileClients::run() {
  for (const auto& group : groups_) {
    for (const auto& client : group->clients) open(*client);
  }
  const auto begin = std::chrono::steady_clock::now();
  std::array<epoll_event, 512> events;
  while (!stopping_) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   queue_.empty() ? kWaitMs : 0);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      onEvent(*static_cast<Client*>(event.data.ptr), event.events);
    }
    sendQueued();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    for (const auto& group : groups_) {
      if (group->script.repeatsPerSecond > 0) sendAtRate(*group, elapsed.count());
      if (group->script.bytesReadPerSecond > 0) readAtRate(*group, elapsed.count());
    }
    for (std::size_t i = 0; i < kReopenedAtOnce && !reopen_.empty(); ++i) {
      Client& client = *reopen_.back();
      reopen_.pop_back();
      open(client);
    }
  }
}

void HostileClients::open(Client& client) {
  auto socket = connectTo(server_);
  if (!socket) return reopen_.push_back(&client);
  client.fd = std::move(*socket);
  client.openingSent = 0;
  client.blockSent = 0;
  client.received = 0;
  client.isWritable = false;
  const bool readsAtRate = client.group->script.bytesReadPerSecond > 0;
  if (readsAtRate) shrinkReceiveBuffer(client.fd.get());
  epoll_event event{};
  event.events = EPOLLOUT | EPOLLET | EPOLLRDHUP;
  if (client.group->script.reads && !readsAtRate) event.events |= EPOLLIN;
  event.data.ptr = &client;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.fd.get(), &event);
}

void HostileClients::onEvent(Client& client, std::uint32_t events) {
  if (!client.fd.valid()) return;
  if ((events & EPOLLIN) != 0) discardInput(client);
  if (!client.fd.valid()) return;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) return lost(client);
  if ((events & EPOLLOUT) != 0) {
    client.isWritable = true;
    queue(client);
  }
}

void HostileClients::discardInput(Client& client) {
  for (;;) {
    // TCP discards the bytes without copying them.
    const ssize_t count = ::recv(client.fd.get(), nullptr, kDiscardBytes, MSG_TRUNC);
    if (count > 0) {
      bytesReceived_ += static_cast<std::uint64_t>(count);
      client.received += static_cast<std::uint64_t>(count);
      if (resetIfDue(client)) return;
      continue;
    }
    if (count == 0 || errno != EAGAIN) lost(client);
    return;
  }
}

void HostileClients::queue(Client& client) {
  if (std::exchange(client.isQueued, true)) return;
  queue_.push_back(&client);
}

void HostileClients::sendQueued() {
  const std::vector<Client*> queued = std::exchange(queue_, {});
  for (Client* client : queued) {
    client->isQueued = false;
    if (!client->fd.valid() || !sendOpening(*client)) continue;
    if (resetIfDue(*client)) continue;
    if (client->block == nullptr || client->group->script.repeatsPerSecond > 0) continue;
    if (sendBlock(*client)) queue(*client);
  }
}

void HostileClients::sendAtRate(Group& group, double elapsedSeconds) {
  const auto due = static_cast<std::uint64_t>(elapsedSeconds * group.script.repeatsPerSecond);
  // A long delay is not caught up.
  for (std::size_t tries = 0; group.repeats < due && tries < 4 * group.clients.size(); ++tries) {
    Client& client = *group.clients[group.next++ % group.clients.size()];
    if (client.fd.valid() && client.isWritable && client.openingSent == client.opening->size()) {
      sendBlock(client);
    }
  }
  group.repeats = std::max(group.repeats, due);
}

void HostileClients::readAtRate(Group& group, double elapsedSeconds) {
  const auto due = static_cast<std::uint64_t>(elapsedSeconds * group.script.bytesReadPerSecond *
                                              static_cast<double>(group.clients.size()));
  for (; group.reads < due; ++group.reads) {
    Client& client = *group.clients[group.nextReader++ % group.clients.size()];
    char byte = 0;
    if (!client.fd.valid() || ::recv(client.fd.get(), &byte, 1, MSG_DONTWAIT) != 1) continue;
    ++bytesReceived_;
  }
}

bool HostileClients::resetIfDue(Client& client) {
  const HostileScript& script = client.group->script;
  const bool isSent = client.openingSent == client.opening->size();
  if (!script.resets || !isSent || client.received < script.resetsAfterBytes) return false;
  setLinger(client.fd.get());
  lost(client);
  return true;
}

/// True once it is sent.
bool HostileClients::sendOpening(Client& client) {
  while (client.openingSent < client.opening->size()) {
    if (!sendSome(client, *client.opening, client.openingSent)) return false;
  }
  return true;
}

std::uint64_t HostileClients::repeatsLeft(const Group& group) {
  return group.script.repeatsMax == 0 ? ~std::uint64_t{0} : group.script.repeatsMax - group.repeats;
}

/// True if there is more to send and room for it.
bool HostileClients::sendBlock(Client& client) {
  if (client.blockSent == 0) {
    if (repeatsLeft(*client.group) == 0) return false;
    client.group->repeats += client.block->size() / client.unitBytes;
  }
  const bool sent = sendSome(client, *client.block, client.blockSent);
  if (client.blockSent == client.block->size()) client.blockSent = 0;
  return sent;
}

/// False if the kernel's buffer is full or the connection lost.
bool HostileClients::sendSome(Client& client, std::string_view bytes, std::size_t& sentBytes) {
  const std::string_view rest = bytes.substr(sentBytes);
  const ssize_t count =
      ::send(client.fd.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count >= 0) {
    sentBytes += static_cast<std::size_t>(count);
    bytesSent_ += static_cast<std::uint64_t>(count);
    return true;
  }
  client.isWritable = false;
  if (errno != EAGAIN) lost(client);
  return false;
}

void HostileClients::lost(Client& client) {
  client.fd.reset();
  ++closed_;
  if (client.group->script.reconnects) reopen_.push_back(&client);
}

}  // namespace stormo::bench
