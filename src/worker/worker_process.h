#pragma once

#include <stormo/timer.h>
#include <stormo/worker.h>

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "net/connection_table.h"
#include "net/listener.h"
#include "net/proxy_peers.h"
#include "process/child.h"
#include "worker/close_pace.h"

namespace stormo {

/// One Worker in one of its processes.
class WorkerProcess {
 public:
  /// Calls onWorkerStart, then starts to accept. Throws what the hook throws. `tls` outlives this;
  /// null: the clients do not speak TLS.
  WorkerProcess(Worker& worker, process::Child& child, const net::TlsContext* tls = nullptr);
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
  void closeAtPace(std::chrono::milliseconds over);
  void closeDue();
  /// True if clients wait to be accepted, by other processes.
  [[nodiscard]] bool areOthersBehind() const;
  void closeClient(net::ConnectionImpl& peer) const;
  [[nodiscard]] std::string_view whyNotReady() const;
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
  std::optional<ClosePace> pace_;            // of a paced order
  std::vector<ConnectionId> clientsToPace_;  // those to be closed at that pace; the last one first
  std::size_t clientsPaced_ = 0;             // that were closed
  Timer::Id paceTimer_ = 0;
  bool closedClients_ = false;
  TimePoint drainDeadline_{};  // once the clients are closed
};

}  // namespace stormo
