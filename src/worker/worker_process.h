#pragma once

#include <stormo/timer.h>
#include <stormo/worker.h>

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "net/codec/http_codec.h"
#include "net/connection_table.h"
#include "net/limits/admission.h"
#include "net/limits/input_throttle.h"
#include "net/limits/output_memory.h"
#include "net/limits/shared_admission.h"
#include "net/listener.h"
#include "net/proxy_peers.h"
#include "process/child.h"
#include "worker/close_pace.h"

namespace stormo {

/// One Worker in one of its processes.
class WorkerProcess {
 public:
  /// Calls onWorkerStart, then starts to accept. Throws what the hook throws. `tls`: null if the
  /// clients do not speak TLS. `admission`, which the Worker's processes share, outlives this;
  /// null: this is the only one.
  WorkerProcess(Worker& worker, process::Child& child,
                std::shared_ptr<const net::TlsContext> tls = nullptr,
                net::SharedAdmission* admission = nullptr);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  [[nodiscard]] int slot() const { return child_.slot(); }
  [[nodiscard]] Connection* find(ConnectionId id) const;
  [[nodiscard]] std::size_t clientCount() const;
  /// As Worker::admitUser().
  bool admitUser(Connection& connection, std::string_view user);

  [[nodiscard]] Counters& counters() const { return table_.counters(); }
  template <typename Visit>
  void forEachClient(Visit visit) const {
    table_.forEach([&](net::ConnectionImpl& peer) {
      if (isClient(peer)) visit(peer);
    });
  }

 private:
  [[nodiscard]] bool isClient(const net::ConnectionImpl& peer) const {
    return peer.endpoint == &endpoint_ || peer.endpoint == &httpEndpoint_;
  }
  void configure();
  void limit(net::SharedAdmission* shared);
  void servePlainRequests();
  void accept(const std::vector<int>& listeners);
  void callHook(const char* name, const std::function<void(Worker&)>& hook);
  void stop(process::StopOrder order);
  void endKeepAlive();
  void closeClients();
  void closeAtPace(std::chrono::milliseconds over);
  void closeDue();
  /// True if clients wait to be accepted, by other processes.
  [[nodiscard]] bool areOthersBehind() const;
  void closeClient(net::ConnectionImpl& peer) const;
  [[nodiscard]] bool answersHealthChecks() const;
  [[nodiscard]] std::string_view whyNotReady() const;
  [[nodiscard]] bool isDrained() const;

  Worker& worker_;
  process::Child& child_;
  net::ConnectionTable& table_;
  std::unique_ptr<net::Codec> codec_;
  std::optional<net::ProxyPeers> proxies_;  // if any are trusted
  std::optional<net::SharedAdmission> ownAdmission_;
  std::optional<net::Admission> admission_;
  std::optional<net::InputRates> inputRates_;
  net::Endpoint endpoint_;
  std::optional<net::HttpCodec> httpCodec_;  // of WebSocket: for plain requests
  net::Endpoint httpEndpoint_;
  std::optional<net::OutputMemory> outputMemory_;
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
