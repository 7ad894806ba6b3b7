// Outgoing connections that speak TLS.
#include "net/connector_fixture.h"
#include "net/tls/tls_context.h"
#include "support/tls_peer.h"

namespace stormo::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class TlsConnectorTest : public ConnectorTest {
 protected:
  TlsConnectorTest() { serve({.certificates = {local}}); }

  void serve(const Tls& tls) { endpoint.tls = TlsContext::ofServer(TlsMaterial::read(tls)); }
  /// It trusts the certificates in `authorities`.
  std::unique_ptr<Connector> tlsConnector(const std::string& authorities) {
    auto connector = connectorTo("texts://127.0.0.1:" + std::to_string(port()));
    connector->tls.authoritiesFile = authorities;
    connector->reconnect = {};
    connector->onError = [this](const Error& error) { reported.push_back(error.message()); };
    return connector;
  }
  /// What the first attempt reports.
  std::string failureOf(Connector& connector) {
    connector.connect();
    EXPECT_TRUE(turnUntil([&] { return !reported.empty(); }));
    settle();
    const auto all = takeReported();
    return all.size() == 1 ? all[0] : "reported " + std::to_string(all.size());
  }

  test::TempDirectory directory;
  const TlsCertificate local = test::makeCertificate(directory, "127.0.0.1");
};

TEST_F(TlsConnectorTest, MessagesPassInBothDirections) {
  endpoint.handlers.onMessage = [](Connection& connection, Message message) {
    (void)connection.send("re: " + std::string(message.data));
  };
  auto connector = tlsConnector(local.certificateFile);
  connector->connect();
  ASSERT_NE(connector->connection(), nullptr);
  EXPECT_EQ(connector->connection()->send("early"), SendStatus::Queued);
  ASSERT_TRUE(turnUntil([&] { return reported.size() == 2; }));
  EXPECT_THAT(reported, ElementsAre("connect", "re: early"));
  const std::string large(100'000, 'x');
  connector->maxPackageSize = large.size() + 10;
  ASSERT_EQ(connector->connection()->send(large.substr(0, 60'000)), SendStatus::Queued);
  ASSERT_TRUE(turnUntil([&] { return reported.size() == 3; }));
  EXPECT_EQ(reported[2], "re: " + large.substr(0, 60'000));
}

TEST_F(TlsConnectorTest, ACertificateForAnotherHostIsRefused) {
  const TlsCertificate other = test::makeCertificate(directory, "other.example");
  serve({.certificates = {other}});
  EXPECT_EQ(failureOf(*tlsConnector(other.certificateFile)),
            "TLS: the certificate is not accepted: IP address mismatch");
}

TEST_F(TlsConnectorTest, ACertificateOfNobodyKnownIsRefused) {
  const TlsCertificate trusted = test::makeCertificate(directory, "trusted");
  EXPECT_EQ(failureOf(*tlsConnector(trusted.certificateFile)),
            "TLS: the certificate is not accepted: self-signed certificate");
}

TEST_F(TlsConnectorTest, AnExpiredCertificateIsRefused) {
  const TlsCertificate old = test::makeCertificate(directory, "127.0.0.1", -60);
  serve({.certificates = {old}});
  EXPECT_EQ(failureOf(*tlsConnector(old.certificateFile)),
            "TLS: the certificate is not accepted: certificate has expired");
}

TEST_F(TlsConnectorTest, AServerWithoutTlsIsReported) {
  endpoint.tls = nullptr;
  endpoint.handlers.onConnect = [](Connection& connection) {
    (void)connection.send("I speak text");
  };
  EXPECT_EQ(failureOf(*tlsConnector(local.certificateFile)), "TLS: wrong version number");
}

TEST_F(TlsConnectorTest, AServerThatLeavesOrIsSilentInTheHandshakeIsReported) {
  listener.stopAll();  // the kernel accepts
  auto connector = tlsConnector(local.certificateFile);
  connector->connectTimeout = 20ms;
  EXPECT_EQ(failureOf(*connector), "TLS: Connection timed out");
  const UniqueFd accepted(::accept(listening.get(), nullptr, nullptr));  // that attempt
  connector->connectTimeout = 30s;
  connector->connect();
  ASSERT_TRUE(turnUntil([&] {
    return UniqueFd(::accept(listening.get(), nullptr, nullptr)).valid();  // and closes it
  }));
  ASSERT_TRUE(turnUntil([&] { return !reported.empty(); }));
  EXPECT_THAT(reported.at(0),
              testing::AnyOf("TLS: Connection reset by peer", "recv: Connection reset by peer"));
}

TEST_F(TlsConnectorTest, FailedHandshakesAreTriedAgain) {
  const TlsCertificate trusted = test::makeCertificate(directory, "trusted");
  auto connector = tlsConnector(local.certificateFile);
  serve({.certificates = {trusted}});
  connector->reconnect = 5ms;
  connector->connect();
  ASSERT_TRUE(turnUntil([&] { return reported.size() >= 2; }));
  serve({.certificates = {local}});
  ASSERT_TRUE(turnUntil([&] { return reported.back() == "connect"; }));
}

TEST_F(TlsConnectorTest, ItShowsItsCertificate) {
  const TlsCertificate own = test::makeCertificate(directory, "client");
  serve({.certificates = {local}, .clientAuthoritiesFile = own.certificateFile});
  auto connector = tlsConnector(local.certificateFile);
  connector->tls.certificate = own;
  connector->connect();
  ASSERT_TRUE(connected(*connector));
  EXPECT_THAT(events, ElementsAre("connect"));
}

TEST_F(TlsConnectorTest, FilesThatCannotBeUsedAreAnErrorOfTheCall) {
  auto connector = tlsConnector("/does/not/exist");
  EXPECT_THAT([&] { connector->connect(); },
              testing::ThrowsMessage<std::invalid_argument>(
                  HasSubstr("the file of authorities '/does/not/exist': no such file")));
}

}  // namespace
}  // namespace stormo::net
