// A program that uses only the process layer, for the tests: workers that accept plain connections
// and answer one line to each received byte, and a channel that does nothing.
#include <fmt/format.h>
#include <stormo/event_loop.h>
#include <stormo/timer.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>

#include "base/counters.h"
#include "event/loop_impl.h"
#include "event/process_life.h"
#include "process/command_line.h"
#include "sys/sockets.h"
#include "sys/unique_fd.h"

namespace {

using namespace stormo;
using process::Child;

struct Behaviour {
  std::vector<std::string> listen;
  int count = 2;
  std::string user;
  std::string failWhile;  ///< main throws while this file exists.
  std::string dieWhile;   ///< The child kills itself after it is ready, while this file exists.
  std::string hangWhile;  ///< The letter 'p' hangs while this file exists.
  std::string stopMark;   ///< A file to create at a stop order.
  bool hangInMain = false;
  bool failBuild = false;
  bool awaitForEver = false;  ///< A worker waits for a link to its Channel in vain.
  int linkedWithinMs = 10000;
  int gracefulTimeoutMs = 60000;
  bool ignoreStop = false;
  bool inCluster = false;        ///< The channel is a node of a cluster.
  std::string hangChannelWhile;  ///< The channel hangs when it lists nodes, while this file exists.
  int aliveEveryMs = 2000;
  int silentAfterMs = 10000;
  int stopTimeoutMs = 5000;
  int hangTimeoutMs = 0;
};

bool exists(const std::string& path) { return !path.empty() && ::access(path.c_str(), F_OK) == 0; }

void throwLastWords() { throw std::runtime_error("last words"); }

/// Accepts, and answers "pid slot user\n" to each byte of a client. Some letters do more.
class ProbeWorker {
 public:
  ProbeWorker(Child& child, const Behaviour& behaviour) : child_(child), behaviour_(behaviour) {
    accept(child.listeners(), true);
    child.onAcceptForSibling = [this](const std::vector<int>& fds, bool on) { accept(fds, on); };
    child.onConnections = [this] { return rows(); };
    child.onStop = [this](process::StopOrder order) { stop(order); };
    if (exists(behaviour.dieWhile)) child.loop().defer([] { ::raise(SIGKILL); });
  }

 private:
  struct Client {
    UniqueFd fd;
    EventLoop::WatchId watch = 0;
  };

  void accept(const std::vector<int>& fds, bool on) {
    for (const int fd : fds) {
      if (on) {
        listeners_[fd] = child_.loop().watch(fd, EPOLLIN, [this, fd](std::uint32_t) { take(fd); });
      } else if (const auto found = listeners_.find(fd); found != listeners_.end()) {
        child_.loop().unwatch(found->second);
        listeners_.erase(found);
      }
    }
  }

  void take(int listener) {
    UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) return;
    const int id = fd.get();
    const auto watch = child_.loop().watch(id, EPOLLIN, [this, id](std::uint32_t) { answer(id); });
    clients_[id] = {.fd = std::move(fd), .watch = watch};
    LoopImpl::of(child_.loop()).counters().connections.set(clients_.size());
    LoopImpl::of(child_.loop()).counters().connectionsTotal.add();
  }

  void answer(int id) {
    char letter = 0;
    if (::recv(id, &letter, 1, 0) <= 0) return drop(id);
    LoopImpl::of(child_.loop()).counters().messagesIn.add();
    switch (letter) {
      case 'h':  // hangs
        while (true) ::pause();
      case 'p':  // hangs for a while
        while (exists(behaviour_.hangWhile)) ::usleep(1000);
        break;
      case 'o':  // leaves an orphan
        if (::fork() == 0) {
          if (::fork() == 0) ::pause();
          ::_exit(0);
        }
        break;
      case 'w':  // writes to its standard streams
        std::puts("printed to stdout");
        std::fputs("printed to stderr\n", stderr);
        break;
      case 't':  // ends by an exception out of a place that must not throw
        []() noexcept { throwLastWords(); }();
        break;
      case 'e':  // exits unexpectedly
        ::_exit(7);
      default:
        break;
    }
    const std::string line = fmt::format("{} {} {}\n", ::getpid(), child_.slot(), ::geteuid());
    if (::send(id, line.data(), line.size(), MSG_NOSIGNAL) < 0) drop(id);
  }

  void drop(int id) {
    child_.loop().unwatch(clients_[id].watch);
    clients_.erase(id);
    LoopImpl::of(child_.loop()).counters().connections.set(clients_.size());
    if (draining_ && clients_.empty()) child_.loop().stop();
  }

  void stop(process::StopOrder order) {
    if (behaviour_.ignoreStop) return;
    if (!behaviour_.stopMark.empty()) std::ofstream(behaviour_.stopMark).flush();
    for (const auto& [fd, watch] : std::exchange(listeners_, {})) child_.loop().unwatch(watch);
    draining_ = order.graceful;
    if (!order.graceful || clients_.empty()) child_.loop().stop();
  }

  std::vector<process::ConnectionRow> rows() const {
    std::vector<process::ConnectionRow> rows;
    for (const auto& [id, client] : clients_) {
      const Address local = localAddress(id);
      rows.push_back({.id = static_cast<std::uint64_t>(id),
                      .transport = local.isUnix() ? "unix" : "tcp",
                      .protocol = "probe",
                      .state = "OPEN",
                      .localAddress = local.text(),
                      .remoteAddress = peerAddress(id).text()});
    }
    return rows;
  }

  Child& child_;
  const Behaviour& behaviour_;
  std::map<int, EventLoop::WatchId> listeners_;
  std::map<int, Client> clients_;
  bool draining_ = false;
};

process::Listening listening(const std::string& url) {
  const SocketUrl parsed = parseSocketUrl(url);
  const auto address =
      parsed.isUnix() ? Address::unixPath(parsed.host) : Address::ip(parsed.host, parsed.port);
  return {.label = url, .address = address.value()};
}

std::vector<process::NodeRow> nodes(const Behaviour& behaviour) {
  while (exists(behaviour.hangChannelWhile)) ::usleep(1000);
  return {{.node = "h1",
           .id = "00000000000000a1",
           .state = "this node",
           .silence = std::chrono::milliseconds(250),
           .blocked = "no servers available"},
          {.node = "h2", .id = "00000000000000b2", .state = "here"}};
}

process::Program probeProgram(const Behaviour& behaviour) {
  if (behaviour.failBuild) throw std::runtime_error("asked to fail");
  process::Role channel{.kind = process::RoleKind::Channel, .name = "ProbeChannel"};
  channel.isInCluster = behaviour.inCluster;
  channel.main = [&behaviour](Child& child) {
    child.onNodes = [&behaviour] { return nodes(behaviour); };
    return std::shared_ptr<void>();
  };
  process::Role worker{
      .kind = process::RoleKind::Worker, .name = "probe", .count = behaviour.count};
  worker.user = behaviour.user;
  worker.hangTimeout = std::chrono::milliseconds(behaviour.hangTimeoutMs);
  for (const std::string& url : behaviour.listen) worker.listen.push_back(listening(url));
  worker.main = [&behaviour](Child& child) -> std::shared_ptr<void> {
    if (exists(behaviour.failWhile)) throw std::runtime_error("asked to fail");
    while (behaviour.hangInMain) ::pause();
    if (behaviour.awaitForEver) awaited() = {.count = 1, .why = "no link to its Channel"};
    return std::make_shared<ProbeWorker>(child, behaviour);
  };
  using std::chrono::milliseconds;
  return {.roles = {std::move(channel), std::move(worker)},
          .timeouts = {.aliveEvery = milliseconds(behaviour.aliveEveryMs),
                       .silentAfter = milliseconds(behaviour.silentAfterMs),
                       .stopTimeout = milliseconds(behaviour.stopTimeoutMs),
                       .gracefulTimeout = milliseconds(behaviour.gracefulTimeoutMs),
                       .linkedWithin = milliseconds(behaviour.linkedWithinMs)}};
}

}  // namespace

int main(int argc, char** argv) {
  Behaviour behaviour;
  process::CommandLine commandLine("probe", "A program for tests of the process layer");
  commandLine.addStartOptions([&](CLI::App& app) {
    app.add_option("--listen", behaviour.listen);
    app.add_option("--count", behaviour.count);
    app.add_option("--user", behaviour.user);
    app.add_option("--fail-while", behaviour.failWhile);
    app.add_option("--die-while", behaviour.dieWhile);
    app.add_option("--hang-while", behaviour.hangWhile);
    app.add_option("--stop-mark", behaviour.stopMark);
    app.add_flag("--hang-in-main", behaviour.hangInMain);
    app.add_flag("--fail-build", behaviour.failBuild);
    app.add_flag("--await-for-ever", behaviour.awaitForEver);
    app.add_option("--linked-within-ms", behaviour.linkedWithinMs);
    app.add_option("--graceful-timeout-ms", behaviour.gracefulTimeoutMs);
    app.add_flag("--ignore-stop", behaviour.ignoreStop);
    app.add_flag("--in-cluster", behaviour.inCluster);
    app.add_option("--hang-channel-while", behaviour.hangChannelWhile);
    app.add_option("--alive-every-ms", behaviour.aliveEveryMs);
    app.add_option("--silent-after-ms", behaviour.silentAfterMs);
    app.add_option("--hang-timeout-ms", behaviour.hangTimeoutMs);
    app.add_option("--stop-timeout-ms", behaviour.stopTimeoutMs);
  });
  return commandLine.run(argc, argv, [&] { return probeProgram(behaviour); });
}
