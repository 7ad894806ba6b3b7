#pragma once

#include <stormo/connection_id.h>
#include <stormo/http_request.h>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace stormo {

/// An opening handshake that is answered later: after a query to a database, for example. Small and
/// copyable. It refers to the client by its connection id, so it may be kept for any time. Use it
/// on the thread of the loop that called onWebSocketConnect: from another thread, post the answer
/// to that loop.
///
/// Until the answer, Worker::handshakeTimeout runs: after it the client gets 503. What the client
/// sends meanwhile waits, the most of it in the kernel.
class PendingHandshake {
 public:
  /// Refers to no client.
  PendingHandshake() = default;
  explicit PendingHandshake(ConnectionId connection) : connection_(connection) {}

  /// Answers with the upgrade, with the subprotocol and the headers that the WebSocketHandshake
  /// had. The connection can send at once; Worker::onWebSocketOpen follows in the next turn. Calls
  /// no handler. False, and nothing happens, if the client has disconnected, or its handshake was
  /// answered or has timed out.
  bool accept() const;
  /// As WebSocketHandshake::refuse(). False as with accept().
  bool refuse(int status, std::string_view text = {}) const;

  /// For Worker::find().
  [[nodiscard]] ConnectionId connection() const { return connection_; }

 private:
  ConnectionId connection_ = 0;
};

/// The opening handshake of one WebSocket connection, for Worker::onWebSocketConnect: read the
/// request, and refuse it, choose what to answer, or answer later. Valid until the handler returns.
/// A handler that does nothing with it accepts.
class WebSocketHandshake {
 public:
  /// For the library and for tests of handlers.
  WebSocketHandshake(const HttpRequest& theirs, std::string chosen, ConnectionId connection)
      : request(theirs), subprotocol(std::move(chosen)), connection_(connection) {}

  /// The client's request. Copy from it what an answer given later needs.
  const HttpRequest& request;
  /// The answer to the subprotocols that the client offers (RFC 6455 4.2.2), empty for none. Preset
  /// to the first offered one that is in WebSocketOptions::subprotocols. A handler may set another
  /// one that the client offers; text that is no token (RFC 9110 5.6.2) is answered with 500.
  std::string subprotocol;

  /// Adds a header to the answer that accepts: Set-Cookie, for example. Names may be repeated.
  /// Throws std::invalid_argument if the name is no token, the value holds CR, LF or NUL, or the
  /// handshake sets that header itself: Upgrade, Connection, Sec-WebSocket-*, and those that frame
  /// HTTP bodies, Content-Length and Transfer-Encoding.
  void addHeader(std::string_view name, std::string_view value);

  /// Answers with that HTTP status and the text as its body instead of the upgrade, then closes.
  /// Throws std::invalid_argument if the status is not from 400 to 599.
  void refuse(int status, std::string_view text = {});

  /// Leaves the answer to the returned object. A refuse() in the same handler overrides it.
  [[nodiscard]] PendingHandshake later() {
    isLater_ = true;
    return PendingHandshake(connection_);
  }

  [[nodiscard]] int refusedWith() const { return refusedWith_; }  ///< 0: not refused.
  [[nodiscard]] const std::string& refusalText() const { return refusalText_; }
  [[nodiscard]] const std::vector<HttpHeader>& headers() const { return headers_; }
  [[nodiscard]] bool isLater() const { return isLater_; }

 private:
  ConnectionId connection_;
  int refusedWith_ = 0;
  bool isLater_ = false;
  std::string refusalText_;
  std::vector<HttpHeader> headers_;
};

/// The answer to a plain HTTP request for its path.
struct Page {
  std::string contentType = "text/html; charset=utf-8";
  std::string body = {};
  /// In addition to Content-Type, Content-Length and Connection. One that holds CR, LF or NUL is
  /// left out.
  std::vector<HttpHeader> headers = {};
};

/// The compression of messages (permessage-deflate, RFC 7692): of a Worker for clients that offer
/// it, as browsers do; of a Connector, which offers it. By default both sides compress each message
/// on its own (server_no_context_takeover and client_no_context_takeover): a message to a group is
/// compressed once per turn and window size, for all members, and a connection keeps no memory for
/// compression while it is idle. A connection that joins a group in a Worker's onConnect, before
/// its handshake, gets the messages of that group uncompressed.
struct DeflateOptions {
  /// False: offers are ignored, none is made, and a compressed message closes the connection with
  /// 1002. True: maxPackageSize limits the inflated size (1009), too; a message that cannot be
  /// inflated closes the connection with 1007; a malformed Sec-WebSocket-Extensions gets 400.
  bool enabled = false;
  /// Messages of fewer bytes are sent uncompressed, as are those that compression does not shorten.
  std::size_t messageBytesMin = 256;
  /// True: with peers that agree, messages between the peer and this connection alone are
  /// compressed with the context of the earlier ones (context takeover): shorter, but such a
  /// connection then keeps up to 300 KiB until it closes. Messages to groups are compressed as
  /// without it, and a connection that is in a group sends without context.
  bool contextTakeover = false;
};

/// The settings of a Worker that speaks WebSocket, and some for HTTP. Read when onWorkerStart has
/// returned.
struct WebSocketOptions {
  /// Origins of pages that may connect: "https://example.com", "https://*.example.com" (any host
  /// below it), "http://localhost:*" (any port), "*" (any), "null", "file://". Others get 403.
  /// Empty: any. A request without an Origin, so not from a page, is always accepted.
  std::vector<std::string> origins = {};
  /// Subprotocols that clients may choose from. Empty: none is chosen.
  std::vector<std::string> subprotocols = {};
  /// Pages by path, for GET and HEAD; on http:// as well. Other requests go to Worker::onRequest.
  /// Without that they get 404, and 426 on websocket:// if there is no page.
  std::map<std::string, Page> pages = {};
  /// Answers the health checks of load balancers (GET, HEAD and OPTIONS, in place of `pages` and
  /// Worker::onRequest; on http:// as well): /health with 200 while the process runs, /ready with
  /// 200 if it accepts clients and all its Channels have a link, else with 503. In a graceful stop,
  /// too; then upgrades and other requests get 503.
  bool healthPages = false;
  /// Compression. Off by default: it takes more time than it saves where the network is fast.
  DeflateOptions deflate = {};
  /// Maximum bytes of a request's head. A longer one gets 431.
  std::size_t headBytesMax = 16 << 10;
};

/// The settings of a Connector that speaks WebSocket. Read by Connector::connect().
struct WebSocketClientOptions {
  /// Added to the request: Authorization, Cookie or Origin, for example. Names may be repeated. A
  /// Host replaces that of the URL. The handshake sets Upgrade, Connection and Sec-WebSocket-*
  /// itself, and has no body.
  std::vector<HttpHeader> headers = {};
  /// Subprotocols for the server to choose from, the preferred one first. See
  /// Connector::subprotocol().
  std::vector<std::string> subprotocols = {};
  /// Compression. Off by default: then it is not offered. A Connector that compresses keeps up to
  /// 300 KiB.
  DeflateOptions deflate = {};
  /// Maximum bytes of the head of the server's answer. A longer one fails the attempt.
  std::size_t headBytesMax = 16 << 10;
};

/// The category of Error::code, in Connector::onError, for a server that did not accept the opening
/// handshake. From 100 on the value is the HTTP status of its answer: 403, for example. Below, the
/// answer violates RFC 6455 4.1, and Error::message() says how.
[[nodiscard]] const std::error_category& webSocketHandshakeCategory();

}  // namespace stormo
