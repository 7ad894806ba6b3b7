// Connections that come through reverse proxies.
#include "net/listener.h"
#include "net/net_fixture.h"
#include "net/proxy_peers.h"
#include "support/websocket_client.h"

namespace stormo::net {
namespace {

using namespace std::chrono_literals;
using test::WebSocketClient;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kHeader = "PROXY TCP4 203.0.113.7 192.0.2.1 4660 443\r\n";

class ProxiesTest : public NetTest {
 protected:
  void trust(const std::vector<std::string>& entries,
             ForwardedHeader header = ForwardedHeader::XForwardedFor) {
    proxies.emplace(proxy::TrustedProxies(entries), header);
    endpoint.proxies = &*proxies;
  }
  void useWebSocket() {
    use(std::make_unique<WebSocketCodec>(
        WebSocketOptions{}, [this](Connection& connection, WebSocketHandshake&) {
          events.push_back("handshake of " + connection.remoteAddress());
        }));
    endpoint.handlers.onClose = {};
  }
  void recordAddresses() {
    endpoint.handlers.onConnect = [this](Connection& connection) {
      events.push_back("connect " + connection.remoteAddress());
    };
  }
  /// A unix peer, which has no address of its own, on an address with the PROXY protocol.
  test::RawPeer acceptProxy() {
    test::SocketPair pair = test::unixPair();
    const Address remote = peerAddress(pair.tested.get());
    id = table.accept(std::move(pair.tested), endpoint, remote, true).value()->id;
    return std::move(pair.peer);
  }
  /// The events of a handshake with these header lines, and the status of its answer.
  std::vector<std::string> handshake(std::string_view headers) {
    events.clear();
    Connected made = accept();
    WebSocketClient client(std::move(made.peer));
    client.sendHandshake("/", headers);
    EXPECT_TRUE(turnUntil([&] { return client.answered(); }));
    events.push_back(std::to_string(client.status()));
    return takeEvents();
  }

  std::optional<ProxyPeers> proxies;
  Handle id;
};

TEST_F(ProxiesTest, TheProxyHeaderStatesTheClientBeforeOnConnect) {
  trust({"unix"});
  recordAddresses();
  test::RawPeer peer = acceptProxy();
  settle();
  EXPECT_THAT(events, IsEmpty());
  peer.send(kHeader + "hello\n");
  settle();
  EXPECT_THAT(takeEvents(), ElementsAre("connect 203.0.113.7:4660", "hello"));
  EXPECT_EQ(table.at(id)->remotePort(), 4660);
  EXPECT_EQ(table.at(id)->peerAddress(), "unix://");
}

TEST_F(ProxiesTest, TheProxyHeaderMayArriveByteByByte) {
  trust({"unix"});
  recordAddresses();
  test::RawPeer peer = acceptProxy();
  for (const char byte : kHeader + "hello\n") {
    peer.send({&byte, 1});
    turn();
  }
  EXPECT_THAT(takeEvents(), ElementsAre("connect 203.0.113.7:4660", "hello"));
}

TEST_F(ProxiesTest, AProxysOwnConnectionKeepsItsAddress) {
  trust({"unix"});
  recordAddresses();
  test::RawPeer peer = acceptProxy();
  peer.send("PROXY UNKNOWN\r\nhello\n");
  settle();
  EXPECT_THAT(takeEvents(), ElementsAre("connect unix://", "hello"));
}

TEST_F(ProxiesTest, APeerWithoutAProxyHeaderIsDisconnectedAndLoggedOnce) {
  trust({"unix"});
  testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) {
    test::RawPeer peer = acceptProxy();
    peer.send("GET / HTTP/1.1\r\n\r\n");
    ASSERT_TRUE(turnUntil([&] { return peer.ended(); }));
  }
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("remote=unix:// reason=\"no valid PROXY header\""));
  EXPECT_EQ(log.find("PROXY"), log.rfind("PROXY"));
  EXPECT_THAT(events, IsEmpty());
  EXPECT_EQ(counters().badPeers.get(), 3u);
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(ProxiesTest, AProxyHeaderHasTheHandshakesTimeout) {
  trust({"unix"});
  endpoint.handshakeTimeout = 1ms;
  testing::internal::CaptureStderr();
  test::RawPeer peer = acceptProxy();
  peer.send("PROXY TCP4 ");
  ASSERT_TRUE(turnUntil([&] { return peer.ended(); }));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("no PROXY header in time"));
  EXPECT_THAT(events, IsEmpty());
}

TEST_F(ProxiesTest, AConnectionThatEndsBeforeItsProxyHeaderCallsNoHandler) {
  trust({"unix"});
  test::RawPeer ended = acceptProxy();
  ended.close();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  test::RawPeer closed = acceptProxy();
  table.at(id)->close();
  ASSERT_TRUE(turnUntil([&] { return closed.ended(); }));
  EXPECT_THAT(events, IsEmpty());
  EXPECT_EQ(counters().badPeers.get(), 0u);
}

TEST_F(ProxiesTest, OnConnectMayPauseOrDestroyTheConnection) {
  trust({"unix"});
  endpoint.handlers.onConnect = [](Connection& connection) { connection.pauseRecv(); };
  test::RawPeer paused = acceptProxy();
  paused.send(kHeader + "hello\n");
  settle();
  EXPECT_THAT(events, IsEmpty());
  table.at(id)->resumeRecv();
  settle();
  EXPECT_THAT(takeEvents(), ElementsAre("hello"));

  endpoint.handlers.onConnect = [](Connection& connection) { connection.destroy(); };
  test::RawPeer destroyed = acceptProxy();
  destroyed.send(kHeader + "hello\n");
  ASSERT_TRUE(turnUntil([&] { return destroyed.ended(); }));
  EXPECT_THAT(takeEvents(), ElementsAre("close 1006"));
}

TEST_F(ProxiesTest, OnlyTrustedPeersMayUseAnAddressWithTheProxyProtocol) {
  const UniqueFd listening = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  Listener listener(loop, endpoint);
  trust({"10.0.0.0/8"});
  listener.start(listening.get(), true);
  testing::internal::CaptureStderr();
  test::RawPeer stranger = test::RawPeer::connect(localAddress(listening.get()).port());
  stranger.send(kHeader + "hello\n");
  ASSERT_TRUE(turnUntil([&] { return stranger.ended(); }));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("remote=127.0.0.1 reason=\"not a trusted proxy\""));
  EXPECT_THAT(events, IsEmpty());
  EXPECT_EQ(counters().badPeers.get(), 1u);

  trust({"127.0.0.0/8"});
  test::RawPeer proxy = test::RawPeer::connect(localAddress(listening.get()).port());
  proxy.send(kHeader + "hello\n");
  ASSERT_TRUE(turnUntil([&] { return events.size() == 2; }));
  EXPECT_THAT(takeEvents(), ElementsAre("connect", "hello"));
}

TEST_F(ProxiesTest, ATrustedProxysHeaderStatesTheClient) {
  useWebSocket();
  trust({"unix", "10.0.0.0/8"});
  EXPECT_THAT(handshake("X-Forwarded-For: 203.0.113.7\r\n"),
              ElementsAre("connect", "handshake of 203.0.113.7:0", "101"));
  EXPECT_THAT(handshake("X-Forwarded-For: 6.6.6.6, [2001:db8::7]:99, 10.0.0.1\r\n"),
              ElementsAre("connect", "handshake of [2001:db8::7]:99", "101"));
  EXPECT_THAT(handshake("X-Real-IP: 203.0.113.7\r\n"),
              ElementsAre("connect", "handshake of unix://", "101"));
  EXPECT_THAT(handshake(""), ElementsAre("connect", "handshake of unix://", "101"));
}

TEST_F(ProxiesTest, TheOperatorSelectsTheHeader) {
  useWebSocket();
  trust({"unix"}, ForwardedHeader::XRealIp);
  EXPECT_THAT(handshake("X-Real-IP: 203.0.113.7\r\nX-Forwarded-For: 6.6.6.6\r\n"),
              ElementsAre("connect", "handshake of 203.0.113.7:0", "101"));
  trust({"unix"}, ForwardedHeader::Forwarded);
  EXPECT_THAT(handshake("Forwarded: for=203.0.113.7\r\nX-Forwarded-For: 6.6.6.6\r\n"),
              ElementsAre("connect", "handshake of 203.0.113.7:0", "101"));
}

TEST_F(ProxiesTest, AMalformedForwardedHeaderIsABadRequest) {
  useWebSocket();
  trust({"unix"}, ForwardedHeader::Forwarded);
  EXPECT_THAT(handshake("Forwarded: for=\"6.6.6.6, for=203.0.113.7\r\n"),
              ElementsAre("connect", "400"));
  EXPECT_EQ(counters().badPeers.get(), 1u);
}

TEST_F(ProxiesTest, HeadersOfOtherPeersAreIgnored) {
  useWebSocket();
  EXPECT_THAT(handshake("X-Forwarded-For: 6.6.6.6\r\n"),
              ElementsAre("connect", "handshake of unix://", "101"));
  trust({"127.0.0.1"});
  EXPECT_THAT(handshake("X-Forwarded-For: 6.6.6.6\r\n"),
              ElementsAre("connect", "handshake of unix://", "101"));
}

TEST_F(ProxiesTest, TheHeaderCountsAfterTheProxyProtocolOnlyFromATrustedAddress) {
  useWebSocket();
  trust({"unix", "10.0.0.0/8"});
  const auto ask = [&](const std::string& proxyHeader) {
    WebSocketClient client(acceptProxy());
    client.raw().send(proxyHeader +
                      WebSocketClient::request("/", "X-Forwarded-For: 198.51.100.1\r\n"));
    EXPECT_TRUE(turnUntil([&] { return client.answered(); }));
    return takeEvents();
  };
  EXPECT_THAT(ask(kHeader), ElementsAre("connect", "handshake of 203.0.113.7:4660"));
  EXPECT_THAT(ask("PROXY TCP4 10.0.0.9 192.0.2.1 4660 443\r\n"),
              ElementsAre("connect", "handshake of 198.51.100.1:0"));
  EXPECT_THAT(ask("PROXY UNKNOWN\r\n"), ElementsAre("connect", "handshake of unix://"));
}

}  // namespace
}  // namespace stormo::net
