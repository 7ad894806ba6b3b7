// Connections that speak TLS.
#include <openssl/pem.h>
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
  TlsTest() { endpoint.tls = contextOf({files}); }

  static std::shared_ptr<const TlsContext> contextOf(std::vector<TlsCertificate> certificates) {
    return TlsContext::ofServer(TlsMaterial::read({.certificates = std::move(certificates)}));
  }

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
  const TlsCertificate files = test::makeCertificate(directory);
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
    (void)table.find(client.connected.id)->send("salve");
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
  (void)table.find(client.connected.id)->send(answer);
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
  for (int i = 0; i < 100; ++i) (void)table.find(client.connected.id)->send("salve");
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
  (void)connection->send("last");
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

TEST_F(TlsTest, AResetAtAnyByteOfTheFirstFlightOrAfterAnyFlightIsForgotten) {
  test::SocketPair pair = test::tcpPair();
  test::TlsPeer(pair.tested.get()).shakeHands();
  const std::string hello = pair.peer.take();
  for (std::size_t bytes = 0; bytes <= hello.size(); ++bytes) {
    Connected one = accept(test::tcpPair());
    one.peer.send(std::string_view(hello).substr(0, bytes));
    turn();
    one.peer.reset();
    ASSERT_TRUE(turnUntil([&] { return table.size() == 0; })) << bytes;
  }
  EXPECT_THAT(events, IsEmpty());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (int flights = 1; flights <= 3; ++flights) {
      Client client = connect();
      client.tls->useVersion(version);
      for (int i = 0; i < flights; ++i) {
        client.tls->shakeHands();
        turn();
      }
      client.connected.peer.reset();
      ASSERT_TRUE(turnUntil([&] { return table.size() == 0; })) << flights;
    }
  }
  Client client = connect();
  EXPECT_TRUE(shakeHands(client));
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

TEST_F(TlsTest, TheNameThatTheClientAsksForSelectsTheCertificate) {
  const TlsCertificate chat = test::makeCertificate(directory, "chat.example");
  endpoint.tls = contextOf({files, chat});
  const auto certificateFor = [&](const std::string& name) {
    Client client = connect();
    if (!name.empty()) client.tls->askFor(name);
    EXPECT_TRUE(shakeHands(client));
    return client.tls->certificateName();
  };
  EXPECT_EQ(certificateFor("chat.example"), "chat.example");
  EXPECT_EQ(certificateFor("localhost"), "localhost");
  EXPECT_EQ(certificateFor("other.example"), "localhost");  // the first one
  EXPECT_EQ(certificateFor(""), "localhost");
}

TEST_F(TlsTest, ClientsNeedACertificateIfThereAreAuthoritiesForThem) {
  const TlsCertificate member = test::makeCertificate(directory, "member");
  const TlsCertificate stranger = test::makeCertificate(directory, "stranger");
  endpoint.tls = TlsContext::ofServer(TlsMaterial::read(
      {.certificates = {files}, .clientAuthoritiesFile = member.certificateFile}));
  Client accepted = connect();
  accepted.tls->show(member);
  ASSERT_TRUE(shakeHands(accepted));
  accepted.tls->send("ciao\n");
  ASSERT_TRUE(turnUntil([&] { return events.size() == 2; }));
  accepted.connected.peer.close();
  settle();
  events.clear();
  for (const TlsCertificate* shown : {&stranger, static_cast<const TlsCertificate*>(nullptr)}) {
    const std::uint64_t before = counters().badPeers.get();
    Client refused = connect();
    if (shown != nullptr) refused.tls->show(*shown);
    // In TLS 1.3 the client is done before the server has its certificate.
    ASSERT_TRUE(turnUntil([&] {
      static_cast<void>(refused.tls->shakeHands());
      return counters().badPeers.get() == before + 1;
    }));
    EXPECT_THAT(events, IsEmpty());
  }
}

TEST_F(TlsTest, NewConnectionsUseANewContextAndOldOnesGoOn) {
  Client old = connect();
  ASSERT_TRUE(shakeHands(old));
  endpoint.tls = contextOf({test::makeCertificate(directory, "new.example")});
  Client client = connect();
  ASSERT_TRUE(shakeHands(client));
  EXPECT_EQ(client.tls->certificateName(), "new.example");
  old.tls->send("ciao\n");
  ASSERT_TRUE(turnUntil([&] { return events.size() == 3; }));
  EXPECT_EQ(events.back(), "ciao");
}

TEST_F(TlsTest, NoClientGetsASecondHandshakeOnItsConnection) {
  Client client = connect();
  client.tls->useVersion(TLS1_2_VERSION);
  ASSERT_TRUE(shakeHands(client));
  client.tls->renegotiate();
  for (int i = 0; i < 10; ++i) {
    turn();
    EXPECT_FALSE(client.tls->shakeHands());
  }
  Client other = connect();
  EXPECT_TRUE(shakeHands(other));
}

TEST_F(TlsTest, TicketsOutliveOneRotationOfTheirKeys) {
  TlsMaterial material = TlsMaterial::read({.certificates = {files}});
  const auto resumesAfter = [&](int rotations) {
    endpoint.tls = TlsContext::ofServer(material);
    Client first = connect();
    EXPECT_TRUE(shakeHands(first));
    const std::size_t seen = events.size();
    first.tls->send("ciao\n");
    EXPECT_TRUE(turnUntil([&] { return events.size() == seen + 1; }));
    static_cast<void>(first.tls->take());  // the ticket
    const test::TlsPeer::Session session = first.tls->session();
    for (int i = 0; i < rotations; ++i) material.ticketKeys.rotate();
    // Another process would have it so.
    endpoint.tls = TlsContext::ofServer(TlsMaterial::decode(material.encode()).value());
    Client second = connect();
    second.tls->resume(session.get());
    EXPECT_TRUE(shakeHands(second));
    return second.tls->wasResumed();
  };
  EXPECT_TRUE(resumesAfter(0));
  EXPECT_TRUE(resumesAfter(1));
  EXPECT_FALSE(resumesAfter(2));
}

TEST(TlsMaterial, OnlyItsOwnBytesAreDecoded) {
  TlsMaterial material;
  material.certificates.push_back({"a.crt", "certificate", "a.key", "key"});
  material.clientAuthorities = "authorities";
  const std::string bytes = material.encode();
  const auto decoded = TlsMaterial::decode(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->encode(), bytes);
  EXPECT_EQ(decoded->certificates.at(0).keyFile, "a.key");
  for (std::size_t end = 0; end < bytes.size(); ++end) {
    EXPECT_FALSE(TlsMaterial::decode(std::string_view(bytes).substr(0, end))) << end;
  }
}

TEST_F(TlsTest, CertificatesThatAreNotValidAreReported) {
  constexpr long kDay = 86'400;
  using std::chrono::hours;
  const auto complaint = [&](long validSeconds, hours ahead, hours margin) {
    const auto context = contextOf({test::makeCertificate(directory, "dated", validSeconds)});
    return context->complaintOfDates(std::chrono::system_clock::now() + ahead, margin);
  };
  EXPECT_EQ(complaint(kDay, hours(0), hours(0)), "");
  EXPECT_THAT(complaint(-60, hours(0), hours(0)), HasSubstr("dated.crt has expired"));
  EXPECT_THAT(complaint(kDay, hours(-48), hours(0)), HasSubstr("dated.crt is not valid yet"));
  EXPECT_THAT(complaint(kDay - 1800, hours(0), hours(48)),
              HasSubstr("dated.crt expires in 23 hours"));
}

TEST_F(TlsTest, FilesThatCannotBeUsedAreReported) {
  const auto complaint = [](const TlsCertificate& used) -> std::string {
    try {
      static_cast<void>(contextOf({used}));
      return "";
    } catch (const std::invalid_argument& wrong) {
      return wrong.what();
    }
  };
  EXPECT_THAT(complaint({.certificateFile = "/does/not/exist"}),
              HasSubstr("the certificate file '/does/not/exist': no such file"));
  EXPECT_THAT(complaint({.certificateFile = directory.path()}), HasSubstr("is a directory"));
  EXPECT_THAT(complaint({.certificateFile = files.keyFile}),
              HasSubstr("localhost.key': it has no certificate in PEM format"));
  EXPECT_THAT(complaint({.certificateFile = files.certificateFile}),
              HasSubstr("localhost.crt': it has no private key in PEM format"));
  const TlsCertificate other = test::makeCertificate(directory, "other");
  EXPECT_THAT(complaint({.certificateFile = files.certificateFile, .keyFile = other.keyFile}),
              HasSubstr("other.key': its key is not that of the certificate in"));
  const std::string both = directory.file("both.pem");
  std::ofstream(both) << std::ifstream(files.certificateFile).rdbuf()
                      << std::ifstream(files.keyFile).rdbuf();
  EXPECT_EQ(complaint({.certificateFile = both}), "");
}

TEST_F(TlsTest, AKeyWithAPasswordIsRefusedWithoutAQuestion) {
  const std::string file = directory.file("locked.key");
  const auto key = [](EVP_PKEY* made) { ::EVP_PKEY_free(made); };
  const std::unique_ptr<EVP_PKEY, decltype(key)> made(::EVP_EC_gen("P-256"), key);
  std::FILE* const out = std::fopen(file.c_str(), "w");
  char password[] = "password";
  ASSERT_EQ(
      ::PEM_write_PrivateKey(out, made.get(), ::EVP_aes_128_cbc(), nullptr, 0, nullptr, password),
      1);
  std::fclose(out);
  EXPECT_THAT(
      [&] {
        static_cast<void>(contextOf({{.certificateFile = files.certificateFile, .keyFile = file}}));
      },
      testing::ThrowsMessage<std::invalid_argument>(HasSubstr("encrypted with a password")));
}

}  // namespace
}  // namespace stormo::net
