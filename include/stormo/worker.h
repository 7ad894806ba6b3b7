#pragma once

#include <stormo/connection.h>
#include <stormo/http.h>
#include <stormo/limits.h>
#include <stormo/protocol.h>
#include <stormo/proxies.h>
#include <stormo/result.h>
#include <stormo/tls.h>
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

/// A server: an address, a number of processes, and handlers. Declare any number of them in main,
/// then call runAll(), which starts a master that keeps their processes running.
///
///     stormo::Worker worker("websocket://0.0.0.0:1234");
///     worker.count = 4;
///     worker.onMessage = [](stormo::Connection& connection, stormo::Message message) {
///       if (connection.send(message) == stormo::SendStatus::Full) connection.close();
///     };
///     return stormo::Worker::runAll(argc, argv);
///
/// Handlers run in the worker processes, each of which has one thread and its own copy of
/// everything that main declared. An exception of a handler is logged, and its connection is closed
/// with 1011. An exception of onWorkerStart ends the process; one of onWorkerReload or onWorkerStop
/// is logged, and the process ends as without it.
class Worker {
 public:
  /// `listen` is `websocket://`, `http://`, `frame://`, `text://` or `tcp://` with `host:port`
  /// (IPv6 in brackets), or `unix:///path`, for which `protocol` is set, too. Empty: the processes
  /// listen on no address. Port 0: a free one. `localhost`: both loopback addresses that this
  /// machine has.
  /// `[::]` accepts IPv4 clients too, unless ipv6Only is set. runAll() reports what is wrong with
  /// it.
  explicit Worker(std::string listen = {});
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Executes the command line (`start`, `stop`, `status`, …; see --help), and returns the exit
  /// status for main: 0 only if the command succeeded. `start` returns when all processes have
  /// ended. Worker processes never return from it. Threads must not exist before it is called, as
  /// the master forks.
  static int runAll(int argc, char** argv);
  /// The same for a program that has options of its own.
  static int runAll(ProgramOptions& options);
  /// In a worker process: stops the whole program, as the command `stop` does.
  static void stopAll();

  // --- Settings of the processes, read by runAll() ---

  int count = 1;  ///< Number of processes. 0: one for each processor that this program may use.
  /// More addresses, as URLs with the scheme of the first one, or `unix:///path`.
  std::vector<std::string> alsoListen;
  /// The clients of all addresses speak TLS (`wss://` and `https://` for browsers), but for those
  /// of unix sockets, which are on this machine. The master reads the files, as the user who starts
  /// it.
  Tls tls;
  bool ipv6Only = false;  ///< IPv6 addresses accept no IPv4 clients: `[::]` leaves 0.0.0.0 free.
  std::string name = "none";  ///< Shown by `status`.
  std::string user;  ///< The user that the processes run as; needs root. Empty: that of the master.
  std::string group;  ///< The same for the group.
  /// The files of its unix sockets: their permissions (0660), and the user and the group that own
  /// them. To connect, a process needs the permission to write. 0: 0777 without the umask. Empty:
  /// `user`, and `group`. Another user than that of the master needs root.
  unsigned socketMode = 0;
  std::string socketOwner;
  std::string socketGroup;
  /// The reverse proxies that clients come through.
  ProxyOptions proxies;
  Limits limits;
  /// A process that does not answer its master for this time is killed, and another one is started:
  /// a handler of it blocks, or it was stopped by a signal or a debugger. Siblings accept its new
  /// clients after 10 s. 0: never.
  std::chrono::milliseconds hangTimeout{60'000};
  /// False: `reload` does not replace these processes, for example because they keep state in
  /// memory. `restart` does.
  bool reloadable = true;

  // --- Settings of connections, read when onWorkerStart has returned ---
  // Set them in main or in onWorkerStart. Later changes have no effect.

  /// Overrides the address's scheme; for unix sockets and custom protocols.
  std::optional<Protocol> protocol;
  /// Maximum size of one received message, in bytes. A larger one closes the connection (WebSocket:
  /// 1009; the body of a request: 413). Unset: the protocol's limit, 64 KiB for `text` and 10 MiB
  /// for the others.
  std::optional<std::size_t> maxPackageSize;
  /// Maximum bytes queued for one client. Above it send() returns SendStatus::Full.
  std::size_t maxSendBufferSize = 8 << 20;
  /// WebSocket: idle time before a ping (0: no pings), and how long to wait for a response. Without
  /// pings, and with other protocols, TCP keep-alive closes a connection whose peer is unreachable
  /// for two minutes.
  std::chrono::milliseconds pingInterval{30'000};
  std::chrono::milliseconds pongTimeout{20'000};
  /// Time for each 32 KiB of a message, from its first byte on. A slower message closes the
  /// connection (WebSocket: 1008). 0: no time-out.
  std::chrono::milliseconds messageTimeout{30'000};
  /// Maximum bytes of the incomplete messages of all clients of one process. Above it, those that
  /// hold the most bytes for the longest time are closed (WebSocket: 1013).
  std::size_t maxIncompleteSize = 128 << 20;
  /// Time for the opening handshake. A slower one is answered with 408, or 503 if this program has
  /// not answered it.
  std::chrono::milliseconds handshakeTimeout{10'000};
  WebSocketOptions websocket;
  HttpOptions http;

  // --- Handlers ---
  // Set them in main, in onWorkerStart, or later in a worker process: an event calls the handler
  // that is set at that time. A handler must not replace itself while it runs.

  std::function<void(Worker&)> onWorkerStart;  ///< Before the process accepts clients.
  std::function<void(Worker&)> onWorkerStop;   ///< The process ends; connections are still open.
  /// Before onWorkerStop, if the reason is a reload. The successor runs already.
  std::function<void(Worker&)> onWorkerReload;
  /// Called in the master each time one of these processes has ended, for whatever reason; a
  /// restart is arranged before. `status` is the exit status of the process, or 128 + the signal
  /// that ended it. Set it in main. The master does nothing else while it runs: it may count, log,
  /// set a Timer or start a program, and must return within 100 ms; a longer call is logged. An
  /// exception is logged. runBlocking() throws in the master.
  std::function<void(Worker&, int slot, int status)> onWorkerExit;
  /// A socket was accepted; a WebSocket handshake is still to come.
  std::function<void(Connection&)> onConnect;
  /// Called for a well-formed request for the upgrade, before it is answered.
  std::function<void(Connection&, WebSocketHandshake&)> onWebSocketConnect;
  /// A whole request of HTTP: on `http://`, and on `websocket://` one that is no upgrade to
  /// WebSocket. WebSocketOptions::pages and healthPages are answered before. Such a connection has
  /// no messages; on `websocket://` it leaves the groups that it has joined in onConnect, and
  /// messages sent before are dropped. An exception is logged, the client gets 500, and the
  /// connection is closed.
  std::function<void(const HttpRequest&, HttpResponse&)> onRequest;
  /// Called when the upgrade was answered, before any message. Not called if the connection closes
  /// before that.
  std::function<void(Connection&)> onWebSocketOpen;
  /// A whole message. It is valid until the handler returns.
  std::function<void(Connection&, Message)> onMessage;
  /// The connection has ended. Called once for each connection for which onConnect was called.
  std::function<void(Connection&)> onClose;
  std::function<void(Connection&, const Error&)> onError;  ///< The socket failed; onClose follows.
  std::function<void(Connection&)> onBufferFull;           ///< maxSendBufferSize is reached.
  std::function<void(Connection&)> onBufferDrain;  ///< After onBufferFull: all output has left.
  /// May more be read from a connection that has sent more than its share of a turn? false: the
  /// rest stays in the kernel until an event of the loop after which the answer is true, so the
  /// answer must not depend on time alone. Empty: always true.
  std::function<bool()> hasRoom;

  // --- In a worker process ---

  /// The slot of the process, 0 to count-1. A process that is restarted keeps it.
  [[nodiscard]] int id() const;
  /// Null if that connection is closing or closed, or is none of this Worker's in this process.
  [[nodiscard]] Connection* find(ConnectionId id) const;
  [[nodiscard]] std::size_t connectionCount() const;
  /// Visits the open connections of this worker; `visit` may close them.
  void forEachConnection(const std::function<void(Connection&)>& visit) const;

  /// Counts, for `status`, a join that a program has refused because the client is in too many
  /// groups; or, in a dry run, would have refused.
  void countGroupRefusal(bool dryRun) const;

  /// The connection, of this worker, belongs to that user until it is closed: Limits of users count
  /// it. False, and nothing has happened, if Limits::connectionsPerUser refuses it; the caller
  /// closes it. True, without an effect, if it belongs to a user already.
  bool admitUser(Connection& connection, std::string_view user);

  /// The constructor's address.
  [[nodiscard]] const std::string& listen() const { return listen_; }

 private:
  friend class WorkerProcess;
  std::string listen_;
  WorkerProcess* process_ = nullptr;
};

}  // namespace stormo
