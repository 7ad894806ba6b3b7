#pragma once

#include <stormo/connector.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/listener.h"
#include "net/net_fixture.h"
#include "protocol/websocket/deflate.h"
#include "protocol/websocket/frame.h"
#include "protocol/websocket/handshake.h"
#include "sys/sockets.h"

namespace stormo::net {

using namespace std::chrono_literals;

/// A Connector that speaks WebSocket, and records its events in `reported`.
class WebSocketClientTest : public NetTest {
 protected:
  std::unique_ptr<Connector> clientOf(const std::string& url) {
    auto client = std::make_unique<Connector>(url);
    client->reconnect = 0ms;
    client->onConnect = [this](Connection&) { reported.emplace_back("connect"); };
    client->onMessage = [this](Connection&, Message message) {
      reported.push_back((message.isBinary() ? "binary " : "text ") + std::string(message.data));
    };
    client->onClose = [this](Connection& connection) {
      reported.push_back("close " + std::to_string(static_cast<int>(connection.closeCode())) + " " +
                         std::string(connection.closeReason()));
    };
    client->onError = [this](const Error& error) { reported.push_back(error.message()); };
    return client;
  }
  bool hasReported(std::size_t count) {
    return turnUntil([&] { return reported.size() >= count; });
  }
  std::string urlOf(const UniqueFd& socket, const std::string& target = "/") {
    return "ws://127.0.0.1:" + std::to_string(localAddress(socket.get()).port()) + target;
  }

  std::vector<std::string> reported;
};

/// One accepted connection of a server that a test plays byte by byte.
struct PlayedServer {
  test::RawPeer peer;
  std::string request;

  [[nodiscard]] std::string field(const std::string& name) const {
    const std::size_t at = request.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const std::size_t begin = at + name.size() + 4;
    return request.substr(begin, request.find("\r\n", begin) - begin);
  }
  [[nodiscard]] std::string acceptLine() const {
    return "Sec-WebSocket-Accept: " + websocket::acceptKey(field("Sec-WebSocket-Key")) + "\r\n";
  }
  /// The answer that accepts, with these additional header lines.
  [[nodiscard]] std::string answer(const std::string& extra = {}) const {
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
           acceptLine() + extra + "\r\n";
  }
};

/// A server's frame. `first` is its first byte.
inline std::string serverFrame(int first, std::string_view payload) {
  char header[websocket::kServerHeaderBytesMax];
  const std::size_t bytes =
      websocket::encodeHeader(websocket::Opcode::Text, payload.size(), header);
  header[0] = static_cast<char>(first);
  return std::string(header, bytes).append(payload);
}

/// A frame that the client has sent, and that the played server has received.
struct ClientFrame {
  websocket::FrameHeader header;
  std::string payload;

  [[nodiscard]] std::string mask() const { return {header.mask, 4}; }
  [[nodiscard]] int closeCode() const { return loadBigEndian<std::uint16_t>(payload.data()); }
};

/// With a server that the test plays.
class PlayedServerTest : public WebSocketClientTest {
 protected:
  PlayedServerTest() : listening(std::move(*listenOn(*Address::ip("127.0.0.1", 0)))) {}

  /// Connects, and returns when the whole request has arrived.
  PlayedServer play(Connector& client) {
    client.connect();
    return acceptNext();
  }
  PlayedServer acceptNext() {
    PlayedServer server;
    EXPECT_TRUE(turnUntil([&] {
      UniqueFd fd(::accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd.valid()) server.peer = test::RawPeer(std::move(fd));
      return server.peer.valid();
    }));
    EXPECT_TRUE(turnUntil([&] { return server.peer.drain().ends_with("\r\n\r\n"); }));
    server.request = server.peer.take();
    return server;
  }
  /// Connects and accepts, and drops the event of onConnect.
  PlayedServer open(Connector& client, const std::string& extra = {}) {
    PlayedServer server = play(client);
    server.peer.send(server.answer(extra));
    EXPECT_TRUE(hasReported(1));
    EXPECT_EQ(std::exchange(reported, {}), std::vector<std::string>{"connect"});
    return server;
  }
  ClientFrame await(PlayedServer& server) {
    ClientFrame frame;
    std::string& received = server.peer.received();
    EXPECT_TRUE(turnUntil([&] {
      server.peer.receive();
      return websocket::decodeHeader(received, 1 << 20, frame.header,
                                     websocket::Compression::Negotiated) == websocket::Decode::Ok &&
             received.size() >= frame.header.headerBytes + frame.header.payloadBytes;
    }));
    frame.payload = received.substr(frame.header.headerBytes, frame.header.payloadBytes);
    websocket::applyMask(frame.payload.data(), frame.payload.size(), frame.header.mask, 0);
    received.erase(0, frame.header.headerBytes + frame.payload.size());
    return frame;
  }

  UniqueFd listening;
};

}  // namespace stormo::net
