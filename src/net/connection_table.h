#pragma once

#include <stormo/http_request.h>

#include <exception>
#include <string_view>
#include <utility>
#include <vector>

#include "event/loop_impl.h"
#include "net/connection_impl.h"

namespace stormo::net {

/// Owns the connections of one loop from accept() or connect() until they are freed, and moves them
/// through their phases.
class ConnectionTable {
 public:
  explicit ConnectionTable(Reactor& reactor) : reactor_(reactor) {}
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  /// The table of that loop's Reactor.
  static ConnectionTable& of(EventLoop& loop);
  static ConnectionTable& current() { return of(EventLoop::current()); }

  /// Takes over an accepted socket and calls onConnect; with `awaitsProxyHeader` not before the
  /// header of the PROXY protocol has arrived, for which the endpoint has `proxies`. If the system
  /// refuses to watch it, it is closed and the error returned. Null if a limit refuses it and it
  /// was closed. `endpoint` outlives the connection,
  /// or abandons it.
  Result<ConnectionImpl*> accept(UniqueFd fd, const Endpoint& endpoint, const Address& remote = {},
                                 bool awaitsProxyHeader = false);
  /// The same for a socket on which connect(2) to `remote` was started. Calls no handler.
  Result<ConnectionImpl*> connect(UniqueFd fd, const Endpoint& endpoint,
                                  const Address& remote = {});

  /// Null if the connection is closing or freed.
  ConnectionImpl* find(ConnectionId id);
  /// Null if the connection is freed.
  ConnectionImpl* at(Handle id) { return connections_.find(id); }
  ConnectionImpl* at(std::uint32_t index) { return connections_.at(index); }
  template <typename Visit>
  void forEach(Visit visit) {
    connections_.forEach(visit);
  }
  /// Closing connections are counted, too.
  [[nodiscard]] std::size_t size() const { return connections_.size(); }

  /// Flushes, then closes with the protocol's closing handshake, if it has one. No-op while
  /// closing.
  void close(ConnectionImpl& connection, CloseCode code, std::string_view reason);
  /// Closes at once. Output that waits is dropped.
  void destroy(ConnectionImpl& connection);
  /// Destroys the usable connections of this endpoint and calls none of their handlers any more.
  /// Those that are closing already still flush. The endpoint is not used afterwards.
  void abandon(const Endpoint& endpoint);
  /// The peer broke its protocol: counted, logged at level debug, then closed like close(). A close
  /// frame of the peer is not awaited (RFC 6455 7.1.7).
  void refuse(ConnectionImpl& connection, CloseCode code, std::string_view reason);
  /// Like close(), but the peer's close frame is not awaited.
  void closeWithoutAnswer(ConnectionImpl& connection, CloseCode code, std::string_view reason);
  /// Flushes, then closes without the protocol's closing handshake.
  void closeQuietly(ConnectionImpl& connection, CloseCode code);
  /// A limit refuses the connection, whose handshake is not done: the codec answers it if it can.
  /// Calls no handler.
  void refuseAdmission(ConnectionImpl& connection, Refusal by);

  // --- For codecs ---

  /// The handshake is done.
  void open(ConnectionImpl& connection);
  /// Calls onConnect.
  void announce(ConnectionImpl& connection);
  /// The peer's close frame has come. It is answered, unless it answers ours.
  void onCloseFrame(ConnectionImpl& connection, CloseCode code);
  /// Drops what this turn has queued for the connection, and closes with these bytes as the last.
  void closeWith(ConnectionImpl& connection, CloseCode code, std::string_view lastBytes);

  /// See CodecSession.
  void passOn(ConnectionImpl& connection, const Endpoint& to);
  void passOnToHandshake(ConnectionImpl& connection, const Endpoint& to);

  /// Sets the client's address to the one that a trusted proxy states in this request. A proxy may
  /// send requests of several clients over one connection. False if the proxy's header is
  /// malformed: the request must be refused.
  [[nodiscard]] bool takeForwardedClient(ConnectionImpl& connection, const HttpRequest& request);

  /// Runs a handler of the user. If it throws, this is logged and that connection is closed with
  /// 1011.
  template <typename Handler, typename... Args>
  void call(ConnectionImpl& connection, const Handler& handler, Args&&... args) {
    if (handler) guard(connection, [&] { handler(connection, std::forward<Args>(args)...); });
  }
  /// The same for anything that may run code of the user.
  template <typename Body>
  void guard(ConnectionImpl& connection, const Body& body) {
    try {
      body();
    } catch (const std::exception& thrown) {
      handlerThrew(connection, thrown.what());
    } catch (...) {
      handlerThrew(connection, "not a std::exception");
    }
  }

  // --- For the other parts of the Reactor ---

  /// The socket of a connection that is Connecting is ready.
  void finishConnect(ConnectionImpl& connection);
  /// In Phase::ProxyHeader: takes the header at the front of `bytes`, and calls onConnect. Returns
  /// its length, or 0 while it is not whole. A peer that sends another thing is disconnected.
  [[nodiscard]] std::size_t receiveProxyHeader(ConnectionImpl& connection, std::string_view bytes);
  /// A peer of an address with the PROXY protocol does not follow it: counted, logged, and
  /// disconnected.
  void refuseProxy(ConnectionImpl& connection, std::string_view reason);
  void onEndOfFile(ConnectionImpl& connection);
  /// What comes before the protocol's own handshake is done.
  void beginHandshake(ConnectionImpl& connection);
  /// The peer broke TLS. An alert was sent.
  void onTlsFailed(ConnectionImpl& connection);
  /// The kernel has taken all output of the connection.
  void onOutputLeft(ConnectionImpl& connection);
  /// The system reported `error`, an errno, in this step. Calls onError if the connection is usable
  /// and known to the user.
  void fail(ConnectionImpl& connection, int error, const char* step);
  void fail(ConnectionImpl& connection, const Error& error);
  /// Moves it to Phase::Dead: it is freed at the end of the turn.
  void die(ConnectionImpl& connection);
  /// Calls onClose for the connections that have closed since the last call, and frees the dead
  /// ones.
  void freeClosed();
  /// Before the table is destroyed, while the fan-outs can still be called.
  void dieWithoutHandlers();
  void trim() { closed_.shrink_to_fit(); }

  LoopImpl& loop();
  Counters& counters() { return loop().counters(); }

 private:
  Result<ConnectionImpl*> add(UniqueFd fd, const Endpoint& endpoint, const Address& remote,
                              Phase phase, std::uint32_t events);
  /// Of an accepted connection: what comes after the PROXY header, if there is one.
  void begin(ConnectionImpl& connection);
  void enterAddress(ConnectionImpl& connection);
  void leaveAddress(ConnectionImpl& connection);
  void endHandshake(ConnectionImpl& connection);
  void beginClosing(ConnectionImpl& connection, CloseCode code, Phase phase);
  void leaveFanouts(ConnectionImpl& connection);
  void putInClosedList(ConnectionImpl& connection);
  void release(ConnectionImpl& connection);
  void handlerThrew(ConnectionImpl& connection, const char* what);

  Reactor& reactor_;
  HandleTable<ConnectionImpl> connections_;
  std::vector<Handle> closed_;  // onClose is to be called, or they are to be freed
};

}  // namespace stormo::net
