#pragma once

#include <stormo/timer.h>
#include <stormo/worker.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "net/connection_table.h"
#include "net/listener.h"
#include "net/proxy_peers.h"
#include "process/child.h"

namespace stormo {

/// One Worker in one of its processes.
class WorkerProcess {
 public:
  /// Calls onWorkerStart, then starts to accept. Throws what the hook throws. `tls`: null if the
  /// clients do not speak TLS.
  WorkerProcess(Worker& worker, process::Child& child,
                std::shared_ptr<const net::TlsContext> tls = nullptr);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  [[nodiscard]] int slot() const { return child_.slot(); }
  [[nodiscard]] Connection* find(ConnectionId id) const;
  [[nodiscard]] std::size_t clientCount() const;
  template <typename Visit>
  void forEachClient(Visit visit) const {
    table_.forEach([&](net::ConnectionImpl& peer) {
      if (peer.endpoint == &endpoint_) visit(peer);
    });
  }

 private:
  void configure();
  void accept(const std::vector<int>& listeners);
  void callHook(const char* name, const std::function<void(Worker&)>& hook);
  void stop(process::StopOrder order);
  void closeClients();
  [[nodiscard]] bool isDrained() const;

  Worker& worker_;
  process::Child& child_;
  net::ConnectionTable& table_;
  std::unique_ptr<net::Codec> codec_;
  std::optional<net::ProxyPeers> proxies_;  // if any are trusted
  net::Endpoint endpoint_;
  net::Listener listener_;
  process::StopOrder order_;
  bool stopping_ = false;
  bool closedClients_ = false;
  TimePoint drainDeadline_{};  // once the clients are closed
};

}  // namespace stormo
