#include <stormo/channel/server.h>
#include <stormo/testing.h>
#include <stormo/worker.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "channel/client/own_channel.h"
#include "channel/log/memory_log.h"
#include "channel/server/declared_servers.h"
#include "channel/server/server_process.h"
#include "event/process_life.h"
#include "process/child.h"
#include "sys/sockets.h"
#include "testing/test_client.h"
#include "worker/declaration.h"
#include "worker/tls_credentials.h"
#include "worker/worker_process.h"

namespace stormo::test {
namespace {

UniqueFd listenAt(const Address& address) {
  auto listening = listenOn(address);
  if (!listening) throw std::runtime_error(listening.error().message());
  return std::move(*listening);
}

UniqueFd listenOnAFreePort() { return listenAt(Address::ip("127.0.0.1", 0).value()); }

/// The private socket of the program's own Channel, without its file: as runAll() makes it.
class PrivateSocket {
 public:
  PrivateSocket() {
    std::string directory = std::filesystem::temp_directory_path() / "stormo-test.XXXXXX";
    if (::mkdtemp(directory.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    address_ = Address::unixPath(directory + "/channel.sock").value();
    listening_ = listenAt(address_);
    const auto held = holdSocket(address_);
    std::filesystem::remove_all(directory);
    if (!held) throw std::runtime_error(held.error().message());
  }
  ~PrivateSocket() { releaseSocket(address_); }
  PrivateSocket(const PrivateSocket&) = delete;
  PrivateSocket& operator=(const PrivateSocket&) = delete;

  [[nodiscard]] int fd() const { return listening_.get(); }
  [[nodiscard]] std::string url() const { return "unix://" + address_.host(); }

 private:
  Address address_;
  UniqueFd listening_;
};

}  // namespace

struct Program::Impl {
  struct RunningServer {
    RunningServer(EventLoop& loop, const channel::Server& server)
        : process(loop, server, std::make_unique<channel::MemoryLog>()) {
      process.listen(socket.fd());
    }
    PrivateSocket socket;
    channel::ServerProcess process;
  };

  struct RunningWorker {
    RunningWorker(EventLoop& loop, Worker& declared)
        : worker(declared),
          child(loop, 0, 0, {{listening.get()}}, {}, -1),
          credentials(TlsCredentials::of(declared.tls)),
          process(worker, child, credentials ? credentials->context() : nullptr) {}
    Worker& worker;
    UniqueFd listening = listenOnAFreePort();
    process::Child child;
    std::shared_ptr<TlsCredentials> credentials;  // null: its clients do not speak TLS
    WorkerProcess process;
  };

  Impl() {
    awaited() = {};  // a Program that failed may have left something
    // Also checks what runAll() checks.
    static_cast<void>(declaredRoles("/"));
    for (channel::Server* server : channel::declaredServers()) {
      servers.push_back(std::make_unique<RunningServer>(loop, *server));
    }
    if (!servers.empty()) channel::ownChannel().url = servers.front()->socket.url();
    for (Worker* worker : declaredWorkers()) {
      workers.push_back(std::make_unique<RunningWorker>(loop, *worker));
    }
    turnUntil(loop, [] { return awaited().count == 0; });
  }

  ~Impl() {
    for (const auto& running : workers) running->child.onStop({});
    turnUntilIdle(loop);
    for (const auto& running : workers) {
      running->process.forEachClient([](net::ConnectionImpl& client) { client.destroy(); });
    }
    turnUntilIdle(loop);
    channel::ownChannel() = {};
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  const RunningWorker& running(const Worker& worker) const {
    for (const auto& each : workers) {
      if (&each->worker == &worker) return *each;
    }
    throw std::invalid_argument("that Worker was not there when the Program was made");
  }

  EventLoop loop;
  std::vector<std::unique_ptr<RunningServer>> servers;
  std::vector<std::unique_ptr<RunningWorker>> workers;
};

Program::Program() : impl_(std::make_unique<Impl>()) {}
Program::~Program() = default;

EventLoop& Program::loop() { return impl_->loop; }

Client Program::connect(const Worker& worker, std::string_view path,
                        const std::vector<HttpHeader>& headers, const TlsClient& tls) {
  const auto& running = impl_->running(worker);
  auto socket = connectTo(localAddress(running.listening.get()));
  if (!socket) throw std::runtime_error(socket.error().message());
  const Protocol protocol = protocolOf(worker);
  Client client(std::make_unique<Client::Impl>(impl_->loop, std::move(*socket),
                                               protocol.isHttp() ? Protocol::tcp() : protocol));
  Client::Impl& inside = *client.impl_;
  const auto runUntilOpen = [&](const std::function<bool()>& isOpen) {
    runUntil([&] {
      inside.look();
      if (inside.isClosed && !isOpen()) {
        throw std::runtime_error("the connection ended during its handshake");
      }
      return isOpen();
    });
  };
  if (running.credentials) {
    inside.speakTls(tls);
    runUntilOpen([&] { return inside.isConnected(); });
  }
  if (!inside.isWebSocket()) return client;
  inside.openWebSocket(path, headers);
  runUntilOpen([&] { return inside.status != 0; });
  return client;
}

void Program::runUntil(const std::function<bool()>& condition) {
  turnUntil(impl_->loop, condition);
}

void Program::settle() { turnUntilIdle(impl_->loop); }

}  // namespace stormo::test
