#pragma once

#include <stormo/connection.h>
#include <stormo/connection_id.h>
#include <stormo/http_request.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace stormo {

/// The answer to one request, given by any handler. Small and copyable. It refers to the client by
/// its connection id, and to the request by a number, so it may be kept for any time: when the
/// client has disconnected (also if it has only ended its sending), or the request was answered or
/// has timed out, its functions do nothing. It never answers a later request of the same
/// connection. Use it on the thread of the loop that called onRequest: from another thread, post
/// the answer to that loop.
///
/// An answer is either given whole, with answer() or end(), or streamed: any number of write(), and
/// then end(). No function calls a handler.
class PendingResponse {
 public:
  /// Refers to no request.
  PendingResponse() = default;
  PendingResponse(ConnectionId connection, std::uint64_t request)
      : connection_(connection), request_(request) {}

  /// False if nothing can be sent any more: the client has disconnected, or the answer is complete.
  [[nodiscard]] bool isOpen() const;

  /// 200 if it is not set. Throws std::invalid_argument if it is not from 200 to 599. False, and
  /// nothing happens, if the answer has begun to be sent or is not open.
  bool setStatus(int status) const;
  /// Adds a header. Names may be repeated. Content-Length, Transfer-Encoding, Connection and Date
  /// are set by the library, and Content-Type to "text/plain; charset=utf-8" if there is a body and
  /// none was added. Throws std::invalid_argument if the name is no token (RFC 9110 5.6.2), the
  /// value holds CR, LF or NUL, or the library sets that header. False as with setStatus().
  bool addHeader(std::string_view name, std::string_view value) const;

  /// Sends a part of the body, copying it; the head goes before the first part, which may be empty.
  /// HTTP/1.1 clients get chunks; for HTTP/1.0 clients the connection ends after the body. Full,
  /// and nothing is queued, if Worker::maxSendBufferSize would be exceeded: Worker::onBufferDrain
  /// is called with the connection when all output has left. Closed if the answer is not open. What
  /// is written as the answer to HEAD, or with the status 204 or 304, is dropped.
  SendStatus write(std::string_view part) const;
  /// Completes the answer, with `last` as the last part or, if nothing was written, as the whole
  /// body. It is queued whatever waits already. False if the answer is not open.
  bool end(std::string_view last = {}) const;
  /// setStatus(status) and end(body).
  bool answer(int status, std::string_view body = {}) const;
  /// The same with a Content-Type.
  bool answer(int status, std::string_view body, std::string_view contentType) const;

  /// For Worker::find().
  [[nodiscard]] ConnectionId connection() const { return connection_; }
  /// The number of the request: no other one of its Worker in this process has it.
  [[nodiscard]] std::uint64_t request() const { return request_; }

 private:
  ConnectionId connection_ = 0;
  std::uint64_t request_ = 0;
};

/// One server-sent event (HTML, 9.2). Views, which the caller keeps alive during the call.
struct ServerSentEvent {
  std::string_view data;        ///< May have several lines.
  std::string_view event = {};  ///< Its type, of one line. Empty: "message" for the page.
  /// The page sends it back in Last-Event-ID when it reconnects. Of one line, without NUL. Empty:
  /// not sent.
  std::string_view id = {};
  /// The time after which the page reconnects, from now on.
  std::optional<std::chrono::milliseconds> retry = std::nullopt;
};

/// A stream of server-sent events to one client, which HttpResponse::events() begins. Small and
/// copyable, as PendingResponse. While a program sends nothing, the library sends a comment every
/// HttpOptions::commentInterval, so proxies do not end the connection.
class EventStream {
 public:
  EventStream() = default;
  explicit EventStream(PendingResponse response) : response_(response) {}

  [[nodiscard]] bool isOpen() const { return response_.isOpen(); }
  /// Results as PendingResponse::write(). Throws std::invalid_argument if `event` or `id` has more
  /// than one line, `id` holds NUL, or `retry` is negative.
  SendStatus send(const ServerSentEvent& event) const;
  SendStatus send(std::string_view data) const { return send(ServerSentEvent{.data = data}); }
  /// A line that pages ignore.
  SendStatus comment(std::string_view text = {}) const;
  /// The page reconnects. False if the stream is not open.
  bool end() const { return response_.end(); }

  /// For Worker::find().
  [[nodiscard]] ConnectionId connection() const { return response_.connection(); }

 private:
  PendingResponse response_;
};

/// The answer to one request, for Worker::onRequest. Valid until the handler returns, which must
/// have answered, or called later() or events() by then: otherwise the client gets 500, and an
/// error is logged. The functions are those of PendingResponse.
///
///     worker.onRequest = [](const HttpRequest& request, HttpResponse& response) {
///       if (request.path != "/hello") return (void)response.answer(404, "no such page\n");
///       response.end("Hello " + request.queryValue("name").value_or("world") + "\n");
///     };
class HttpResponse {
 public:
  /// For the library.
  HttpResponse(Connection& client, PendingResponse pending) : client_(client), pending_(pending) {}
  HttpResponse(const HttpResponse&) = delete;
  HttpResponse& operator=(const HttpResponse&) = delete;

  bool setStatus(int status) { return pending_.setStatus(status); }
  bool addHeader(std::string_view name, std::string_view value) {
    return pending_.addHeader(name, value);
  }
  SendStatus write(std::string_view part) { return pending_.write(part); }
  bool end(std::string_view last = {}) { return pending_.end(last); }
  bool answer(int status, std::string_view body = {}) { return pending_.answer(status, body); }
  bool answer(int status, std::string_view body, std::string_view contentType) {
    return pending_.answer(status, body, contentType);
  }

  /// Leaves the answer, or the rest of it, to the returned object. Until its first write() or its
  /// end(), HttpOptions::answerTimeout runs.
  [[nodiscard]] PendingResponse later() {
    isLater_ = true;
    return pending_;
  }
  /// Begins a stream of server-sent events: sends the head, with headers added before. The stream
  /// lasts until end(), or until the client disconnects.
  [[nodiscard]] EventStream events();

  /// The client: its address, its state, its id. Valid until the handler returns.
  [[nodiscard]] Connection& connection() { return client_; }

  [[nodiscard]] bool isLater() const { return isLater_; }

 private:
  Connection& client_;
  PendingResponse pending_;
  bool isLater_ = false;
};

/// The settings of HTTP on a Worker with the scheme http://, or of the requests of one with
/// websocket:// that are no upgrade. Read when onWorkerStart has returned. WebSocketOptions has
/// those that both need: pages, healthPages and headBytesMax. Worker::maxPackageSize limits the
/// body of a request (413), Worker::handshakeTimeout the time for a head (408), and
/// Worker::messageTimeout the time for each 32 KiB of a body (408).
struct HttpOptions {
  /// A connection without a request is closed after this time. 0: after each answer.
  std::chrono::milliseconds keepAliveTimeout{75'000};
  /// Time for the program to begin an answer for which it has called later(). Then the client gets
  /// 503. 0: no time-out.
  std::chrono::milliseconds answerTimeout{30'000};
  /// How long a stream of server-sent events may be silent before the library sends a comment. 0:
  /// none is sent.
  std::chrono::milliseconds commentInterval{15'000};
};

}  // namespace stormo
