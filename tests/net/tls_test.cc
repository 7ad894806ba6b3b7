// Connections that speak TLS.
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <fstream>

#include "net/net_fixture.h"
#include "net/tls/tls_context.h"
#include "support/tls_peer.h"

namespace stormo::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TlsTest : public NetTest {
 protected:
  TlsTest() { endpoint.tls = &context; }

  /// A connection whose handshake is not done, and the client on it.
  struct Client {
    Connected connected;
    std::unique_ptr<test::TlsPeer> tls;
  };
  Client connect() {
    Client client{.connected = accept(test::tcpPair()), .tls = nullptr};
    client.tls = std::make_unique<test::TlsPeer>(client.connected.peer.fd());
    return client;
  }
  [[nodiscard]] bool shakeHands(Client& client) {
    return turnUntil([&] { return client.tls->shakeHands(); });
  }

  test::TempDirectory directory;
  const Tls files = test::makeCertificate(directory);
  TlsContext context{files};
};

TEST_F(TlsTest, MessagesPassInBothDirections) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version);
    Client client = connect();
    client.tls->useVersion(version);
    EXPECT_THAT(events, IsEmpty());  // the user does not know of it yet
    ASSERT_TRUE(shakeHands(client));
    client.tls->send("ciao\n");
    ASSERT_TRUE(turnUntil([&] { return events.size() == 2; }));
    EXPECT_THAT(events, ElementsAre("connect", "ciao"));
    events.clear();
    table.find(client.connected.id)->send("salve");
    std::string received;
    ASSERT_TRUE(turnUntil([&] { return (received += client.tls->take()) == "salve\n"; }));
    table.find(client.connected.id)->destroy();
    settle();
    events.clear();
  }
}

TEST_F(TlsTest, AMessageMayBeLongerThanARecord) {
  Client client = connect();
  ASSERT_TRUE(shakeHands(client));
  const std::string sent(60'000, 'x');
  client.tls->send(sent + "\n");
  ASSERT_TRUE(turnUntil([&] { return events.size() == 2; }));
  EXPECT_EQ(events[1], sent);
  const std::string answer(1 << 20, 'y');
  table.find(client.connected.id)->send(answer);
  std::string received;
  ASSERT_TRUE(turnUntil([&] {
    received += client.tls->take();
    return received.size() > answer.size();
  }));
  EXPECT_EQ(received, answer + "\n");
}

TEST_F(TlsTest, ManyShortMessagesOfATurnShareARecord) {
  Client client = connect();
  ASSERT_TRUE(shakeHands(client));
  client.tls->send("ciao\n");
  ASSERT_TRUE(turnUntil([&] { return events.size() == 2; }));
  const std::uint64_t before = counters().sendCalls.get();
  for (int i = 0; i < 100; ++i) table.find(client.connected.id)->send("salve");
  std::string received;
  ASSERT_TRUE(turnUntil([&] { return (received += client.tls->take()).size() == 600; }));
  EXPECT_EQ(counters().sendCalls.get(), before + 1);
}

TEST_F(TlsTest, AnyPartOfARecordMayCome) {
  // The client's bytes, one by one through a relay.
  test::SocketPair toServer = test::tcpPair();
  test::SocketPair toClient = test::tcpPair();
  static_cast<void>(
      table.accept(std::move(toServer.tested), endpoint, peerAddress(toServer.peer.fd())).value());
  test::TlsPeer client(toClient.tested.get());
  const auto relay = [&] {
    for (const char byte : toClient.peer.take()) {
      toServer.peer.send({&byte, 1});
      turn();
    }
    toClient.peer.send(toServer.peer.take());
  };
  ASSERT_TRUE(turnUntil([&] {
    relay();
    return client.shakeHands();
  }));
  client.send("ciao\n");
  ASSERT_TRUE(turnUntil([&] {
    relay();
    return events.size() == 2;
  }));
  EXPECT_THAT(events, ElementsAre("connect", "ciao"));
}

TEST_F(TlsTest, CloseEndsTlsBeforeTheConnection) {
  Client client = connect();
  ASSERT_TRUE(shakeHands(client));
  client.tls->send("ciao\n");
  ASSERT_TRUE(turnUntil([&] { return events.size() == 2; }));
  Connection* const connection = table.find(client.connected.id);
  connection->send("last");
  connection->close();
  std::string received;
  ASSERT_TRUE(turnUntil([&] { return (received += client.tls->take()) == "last\n"; }));
  ASSERT_TRUE(turnUntil([&] { return client.tls->isClosed(); }));
  EXPECT_EQ(events.back(), "close 1000");
}

TEST_F(TlsTest, ThePeersCloseNotifyIsItsEndOfFile) {
  Client client = connect();
  ASSERT_TRUE(shakeHands(client));
  client.tls->send("ciao\n");
  client.tls->close();
  ASSERT_TRUE(turnUntil([&] { return events.size() == 3; }));
  EXPECT_THAT(events, ElementsAre("connect", "ciao", "close 1006"));
}

TEST_F(TlsTest, BytesThatAreNotTlsCloseTheConnectionUnannounced) {
  Connected one = accept(test::tcpPair());
  one.peer.send("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(turnUntil([&] { return one.peer.ended(); }));
  settle();
  EXPECT_THAT(events, IsEmpty());
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(counters().badPeers.get(), 1u);
}

TEST_F(TlsTest, ADamagedRecordClosesTheConnection) {
  Client client = connect();
  ASSERT_TRUE(shakeHands(client));
  client.tls->send("ciao\n");
  ASSERT_TRUE(turnUntil([&] { return events.size() == 2; }));
  client.connected.peer.send(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
  ASSERT_TRUE(turnUntil([&] { return events.size() == 4; }));
  EXPECT_THAT(events, ElementsAre("connect", "ciao", "error in TLS", "close 1006"));
}

TEST_F(TlsTest, AClientThatLeavesInTheHandshakeIsForgotten) {
  Client client = connect();
  client.tls->shakeHands();
  turn();
  client.connected.peer.close();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_THAT(events, IsEmpty());
}

TEST_F(TlsTest, AConnectionThatIsClosedInTheHandshakeIsForgotten) {
  Client client = connect();
  table.close(*table.at(Handle::unpack(client.connected.id)), CloseCode::GoingAway, "");
  settle();
  EXPECT_EQ(table.size(), 0u);
  EXPECT_THAT(events, IsEmpty());
}

TEST_F(TlsTest, UnixSocketsStayPlain) {
  Connected one = accept();
  one.peer.send("ciao\n");
  ASSERT_TRUE(turnUntil([&] { return events.size() == 2; }));
  EXPECT_THAT(events, ElementsAre("connect", "ciao"));
}

TEST_F(TlsTest, SelectsHttp11OfTheProtocolsOffered) {
  Client client = connect();
  client.tls->offerAlpn(std::string("\x02h2\x08http/1.1", 12));
  ASSERT_TRUE(shakeHands(client));
  EXPECT_EQ(client.tls->alpn(), "http/1.1");
  Client other = connect();
  other.tls->offerAlpn(std::string("\x02h2", 3));
  ASSERT_TRUE(shakeHands(other));
  EXPECT_EQ(other.tls->alpn(), "");
}

TEST_F(TlsTest, ASessionIsResumed) {
  Client first = connect();
  ASSERT_TRUE(shakeHands(first));
  first.tls->send("ciao\n");
  ASSERT_TRUE(turnUntil([&] { return events.size() == 2; }));
  static_cast<void>(first.tls->take());  // the ticket
  const test::TlsPeer::Session session = first.tls->session();
  Client second = connect();
  second.tls->resume(session.get());
  ASSERT_TRUE(shakeHands(second));
  EXPECT_TRUE(second.tls->wasResumed());
}

TEST_F(TlsTest, FilesThatCannotBeUsedAreReported) {
  const auto complaint = [](const Tls& settings) -> std::string {
    try {
      const TlsContext context(settings);
      return "";
    } catch (const std::invalid_argument& wrong) {
      return wrong.what();
    }
  };
  EXPECT_THAT(complaint({.certificateFile = "/does/not/exist"}),
              HasSubstr("the certificate file '/does/not/exist': No such file"));
  EXPECT_THAT(complaint({.certificateFile = files.keyFile}), HasSubstr("no start line"));
  EXPECT_THAT(complaint({.certificateFile = files.certificateFile}), HasSubstr("the key file"));
  const Tls other = test::makeCertificate(directory, "other");
  EXPECT_THAT(complaint({.certificateFile = files.certificateFile, .keyFile = other.keyFile}),
              HasSubstr("key values mismatch"));
  const std::string both = directory.file("both.pem");
  std::ofstream(both) << std::ifstream(files.certificateFile).rdbuf()
                      << std::ifstream(files.keyFile).rdbuf();
  EXPECT_EQ(complaint({.certificateFile = both}), "");
}

}  // namespace
}  // namespace stormo::net
