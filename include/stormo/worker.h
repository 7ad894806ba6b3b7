#pragma once

#include <stormo/connection.h>
#include <stormo/protocol.h>
#include <stormo/result.h>
#include <stormo/websocket.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stormo {

class ProgramOptions;
class WorkerProcess;

/// A server of one kind: an address, a number of processes, and what happens in them. Declare any
/// number of them in main, then call runAll(), which starts a master that keeps them running.
///
///     stormo::Worker worker("websocket://0.0.0.0:1234");
///     worker.count = 4;
///     worker.onMessage = [](stormo::Connection& connection, stormo::Message message) {
///       if (connection.send(message) == stormo::SendStatus::Full) connection.close();
///     };
///     return stormo::Worker::runAll(argc, argv);
///
/// Handlers run in the worker processes, each with its own copy of everything that main set up,
/// each on one thread. A handler that throws is logged, and its connection closed with 1011;
/// onWorkerStart that throws ends the process. If onWorkerReload or onWorkerStop throws, this is
/// logged, and the process ends as it would have ended.
class Worker {
 public:
  /// `listen` is `websocket://`, `frame://`, `text://` or `tcp://` with `host:port` (IPv6 in
  /// brackets), or `unix:///path` with `protocol` set beside it. Empty: the processes listen on
  /// nothing. Port 0: a free one. What is wrong with it is said by runAll().
  /// `localhost` is both loopback addresses, as far as this machine has them. `[::]` takes IPv4
  /// clients too, unless ipv6Only is set.
  explicit Worker(std::string listen = {});
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Does what the command line asks (`start`, `stop`, `status`, …; see --help), and gives the exit
  /// status for main: 0 only if it happened. `start` returns when all has stopped. Worker processes
  /// never return from it.
  static int runAll(int argc, char** argv);
  /// The same for a program that has options of its own.
  static int runAll(ProgramOptions& options);
  /// From within a worker process: stops the whole program, as the command `stop` does.
  static void stopAll();

  // --- Settings of the processes, read by runAll() ---

  int count = 1;  ///< Number of processes. 0: one for each processor that this program may use.
  /// Further addresses, as URLs with the scheme of the first, or `unix:///path`.
  std::vector<std::string> alsoListen;
  bool ipv6Only = false;      ///< IPv6 addresses take no IPv4 clients: `[::]` leaves 0.0.0.0 free.
  std::string name = "none";  ///< For `status`.
  std::string user;           ///< To run as; needs root. Empty: as the master.
  std::string group;
  /// False: `reload` does not replace these processes, for example because they keep state in
  /// memory. `restart` does.
  bool reloadable = true;

  // --- Settings of connections, read when onWorkerStart has returned ---
  // Set in main or in onWorkerStart. What is changed later has no effect.

  /// Instead of the address's scheme; for unix sockets and protocols of one's own.
  std::optional<Protocol> protocol;
  /// Of one message from a peer, in bytes; a longer one closes the connection (WebSocket: 1009).
  /// Unset: the protocol's, 64 KiB for `text` and 10 MiB for the others.
  std::optional<std::size_t> maxPackageSize;
  /// Of what waits to be sent to one peer, in bytes: beyond it send() says Full.
  std::size_t maxSendBufferSize = 8 << 20;
  /// WebSocket: of silence before a ping; zero for no pings. And of the wait for any answer to it.
  /// Without pings, as with the other protocols, TCP keep-alive closes the connection of a peer
  /// that is gone after two minutes of silence.
  std::chrono::milliseconds pingInterval{30'000};
  std::chrono::milliseconds pongTimeout{20'000};
  /// For each 32 KiB of a message from its first byte on, and for the rest of it. A message that
  /// makes less progress closes the connection (WebSocket: 1008). Zero: no time-out.
  std::chrono::milliseconds messageTimeout{30'000};
  /// Of incomplete messages from all peers of one process together, in bytes. Above it, those that
  /// hold most for longest are closed (WebSocket: 1013).
  std::size_t maxIncompleteSize = 128 << 20;
  /// For the opening handshake.
  std::chrono::milliseconds handshakeTimeout{10'000};
  WebSocketOptions websocket;

  // --- Handlers ---
  // Set in main, in onWorkerStart, or later in a worker process: each event goes to the handler
  // that is set at that time. A handler must not replace itself while it runs.

  std::function<void(Worker&)> onWorkerStart;
  std::function<void(Worker&)> onWorkerStop;  ///< Connections are still open.
  std::function<void(Worker&)>
      onWorkerReload;  ///< Before onWorkerStop, if the process ends for a reload.
  /// Called in the master each time one of these processes has ended, for whatever reason; a
  /// restart is arranged before. `status` is what the process gave to exit(), or 128 + the signal
  /// that ended it. Set it in main. The master does nothing else while it runs: it may count, log,
  /// set a Timer or start a program, and must return within 100 ms; a longer call is logged. What
  /// it throws is logged. runBlocking() throws there.
  std::function<void(Worker&, int slot, int status)> onWorkerExit;
  std::function<void(Connection&)>
      onConnect;  ///< Of the socket; WebSocket's handshake is still to come.
  /// Called for a well-formed request for the upgrade, before it is answered.
  std::function<void(Connection&, WebSocketHandshake&)> onWebSocketConnect;
  /// Called when the upgrade was answered, before any message. Not called if the connection closes
  /// before that.
  std::function<void(Connection&)> onWebSocketOpen;
  /// A whole message. It is valid until the handler returns.
  std::function<void(Connection&, Message)> onMessage;
  std::function<void(Connection&)> onClose;
  std::function<void(Connection&, const Error&)> onError;  ///< The socket failed; onClose follows.
  std::function<void(Connection&)> onBufferFull;           ///< maxSendBufferSize is reached.
  std::function<void(Connection&)> onBufferDrain;          ///< All of it has left.
  /// Asked before a connection that has sent more than its share of a turn is read on. False: the
  /// rest waits in the kernel, until something has happened on the loop and the answer is true; it
  /// must not depend on time alone. Empty: always true.
  std::function<bool()> hasRoom;

  // --- In a worker process ---

  /// 0 to count-1; a process that is started again has the same one.
  [[nodiscard]] int id() const;
  /// Null if that connection is closing or gone, or belongs to another process.
  [[nodiscard]] Connection* find(ConnectionId id) const;
  [[nodiscard]] std::size_t connectionCount() const;
  /// Visits the open connections of this worker; `visit` may close them.
  void forEachConnection(const std::function<void(Connection&)>& visit) const;

  /// As given to the constructor.
  [[nodiscard]] const std::string& listen() const { return listen_; }

 private:
  friend class WorkerProcess;
  std::string listen_;
  WorkerProcess* process_ = nullptr;
};

}  // namespace stormo
