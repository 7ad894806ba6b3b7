#pragma once

#include <stormo/http_request.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stormo {

class Connection;

/// The opening of one WebSocket connection, for Worker::onWebSocketConnect: look at the request,
/// and refuse it, or choose what to answer. Valid until the handler returns.
class WebSocketHandshake {
 public:
  WebSocketHandshake(const HttpRequest& theirs, std::string chosen)
      : request(theirs), subprotocol(std::move(chosen)) {}

  const HttpRequest& request;
  /// The answer to the client's offer (RFC 6455 4.2.2); the first offered one that is in
  /// WebSocketOptions::subprotocols. Empty: none.
  std::string subprotocol;

  /// Answers with that HTTP status (400 to 599) instead of the upgrade, and closes.
  void refuse(int status, std::string_view text = {}) {
    refusedWith_ = status;
    refusalText_ = std::string(text);
  }
  [[nodiscard]] int refusedWith() const { return refusedWith_; }  ///< 0: not refused.
  [[nodiscard]] const std::string& refusalText() const { return refusalText_; }

 private:
  int refusedWith_ = 0;
  std::string refusalText_;
};

/// What a plain HTTP request gets from a WebSocket port.
struct Page {
  std::string contentType = "text/html; charset=utf-8";
  std::string body = {};
  std::vector<HttpHeader> headers = {};  ///< Beside those of type and length.
};

/// What a worker that speaks WebSocket may be told beside its handlers.
struct WebSocketOptions {
  /// Origins of pages that may connect: "https://example.com", "https://*.example.com" (any host
  /// below it), "http://localhost:*" (any port), "*" (any), "null", "file://". Empty: any.
  std::vector<std::string> origins = {};
  /// Subprotocols that clients may choose from. Empty: none is ever chosen.
  std::vector<std::string> subprotocols = {};
  /// Pages by path, for GET and HEAD. Other paths: 404. Without any page: 426.
  std::map<std::string, Page> pages = {};
  /// Of a request's head; longer ones get 431.
  std::size_t headBytesMax = 16 << 10;
};

}  // namespace stormo
