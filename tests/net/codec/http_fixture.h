#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "net/codec/http_codec.h"
#include "net/net_fixture.h"

namespace stormo::net {

/// An endpoint of HTTP, and clients of it. Its handler answers with method, path and body of the
/// request, unless a test sets another one. Records its calls in `events`.
class HttpTest : public NetTest {
 protected:
  HttpTest() {
    handler = [this](const HttpRequest& request, HttpResponse& response) {
      const std::string what = request.method + ' ' + request.path + ' ' + request.body;
      events.push_back(what);
      response.end(what);
    };
    useHttp();
  }

  void useHttp(HttpOptions options = {}, WebSocketOptions pages = {}) {
    endpoint.cutWhenFull = false;
    use(std::make_unique<HttpCodec>(options, std::move(pages), handler));
    events.clear();
  }

  Connected connect(test::SocketPair pair = test::unixPair()) {
    Connected made = acceptQuietly(std::move(pair));
    last = made.id;
    return made;
  }

  /// What the client has received when the program has nothing left to do, without the Date.
  std::string answersTo(Connected& client, std::string_view bytes) {
    client.peer.send(bytes);
    settle();
    return received(client);
  }
  /// The same on a new connection.
  std::string answersTo(std::string_view bytes) {
    Connected client = connect();
    return answersTo(client, bytes);
  }
  std::string received(Connected& client) {
    std::string text = client.peer.take();
    constexpr std::string_view kDate = "Date: Sat, 28 Nov 2026 01:02:03 GMT\r\n";
    for (auto at = text.find("Date: "); at != text.npos; at = text.find("Date: ", at)) {
      text.erase(at, kDate.size());
    }
    return text;
  }
  /// Keeps `pending`, the answer to each request.
  void answerLater() {
    handler = [this](const HttpRequest& request, HttpResponse& response) {
      events.push_back(request.path);
      pending = response.later();
    };
  }

  static std::string get(std::string_view path, std::string_view headers = {}) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n";
  }
  static std::string post(std::string_view body) {
    return "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + std::string(body);
  }
  /// An answer with that text as its body.
  static std::string ok(std::string_view body, std::string_view connection = {}) {
    return "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n" + std::string(connection) + "\r\n" +
           std::string(body);
  }

  HttpCodec::RequestHandler handler;
  PendingResponse pending;
  ConnectionId last = 0;
};

}  // namespace stormo::net
