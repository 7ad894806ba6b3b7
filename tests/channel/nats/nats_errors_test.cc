#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>

#include "channel/nats/nats_fixture.h"
#include "channel/nats/nats_library.h"
#include "support/tls_peer.h"

namespace stormo::test {
namespace {

using channel::ClusterSettings;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class NatsErrorsTest : public NatsTest {
 protected:
  /// The reason that a node gives for having no connection.
  std::string reasonOf(ClusterSettings settings) {
    Node node(std::move(settings));
    return loses(node) ? node.sink.reasons[0] : "(connected)";
  }
  static std::string at(const NatsServer& server) {
    return "no connection to NATS: 127.0.0.1:" + std::to_string(server.port()) + ": ";
  }
};

TEST(NatsLibraryTest, MissingLibraryNamesThePackage) {
  std::string problem;
  EXPECT_EQ(channel::NatsLibrary::loadFrom("libnats.so.none", problem), nullptr);
  EXPECT_THAT(problem, HasSubstr("install Debian's package libnats3.4"));
}

TEST(NatsLibraryTest, AnotherLibraryOfThisNameIsRejected) {
  std::string problem;
  EXPECT_EQ(channel::NatsLibrary::loadFrom("libc.so.6", problem), nullptr);
  EXPECT_THAT(problem, HasSubstr("has no function"));
}

TEST_F(NatsErrorsTest, WrongPasswordIsReportedWithoutIt) {
  const NatsServer server(deadline, std::string(NatsServer::kJetStream) +
                                        "authorization { user: u, password: right }\n");
  const std::string reason = reasonOf(settingsFor({server.url("u:wrong-secret")}));
  EXPECT_EQ(reason, at(server) + "the server rejects the user or the password, token or key");
  Node node(settingsFor({server.url("u:right")}));
  EXPECT_TRUE(connects(node));
  auto settings = settingsFor({server.url()});
  settings.user = "u";
  settings.password = "right";
  Node other(settings);
  EXPECT_TRUE(connects(other));
}

TEST_F(NatsErrorsTest, TokenLogsIn) {
  const NatsServer server(deadline,
                          std::string(NatsServer::kJetStream) + "authorization { token: t0 }\n");
  EXPECT_THAT(reasonOf(settingsFor({server.url()})), HasSubstr("rejects the user"));
  auto settings = settingsFor({server.url()});
  settings.token = "t0";
  Node node(settings);
  EXPECT_TRUE(connects(node));
  Node fromUrl(settingsFor({server.url("t0")}));
  EXPECT_TRUE(connects(fromUrl));
}

// A key pair of NATS' documentation.
constexpr const char* kSeed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
constexpr const char* kPublicKey = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

TEST_F(NatsErrorsTest, NkeySeedLogsIn) {
  const NatsServer server(deadline, std::string(NatsServer::kJetStream) +
                                        "authorization { users: [ { nkey: " + kPublicKey +
                                        " } ] }\n");
  auto settings = settingsFor({server.url()});
  settings.nkeySeedFile = server.directory().file("seed");
  EXPECT_EQ(reasonOf(settings),
            at(server) + settings.nkeySeedFile + " has no seed of a user's NKey (SU…)");
  std::ofstream(settings.nkeySeedFile) << kSeed << "\n";
  Node node(settings);
  EXPECT_TRUE(connects(node));
}

TEST_F(NatsErrorsTest, MissingCredentialsFileIsNamed) {
  const NatsServer server(deadline);
  auto settings = settingsFor({server.url()});
  settings.credentialsFile = "/nowhere/node.creds";
  EXPECT_EQ(reasonOf(settings), at(server) + "cannot read /nowhere/node.creds");
}

TEST_F(NatsErrorsTest, JetStreamThatIsOffIsReported) {
  const NatsServer server(deadline, "");
  EXPECT_EQ(
      reasonOf(settingsFor({server.url()})),
      at(server) +
          "JetStream is not enabled, or none of its servers runs: start nats-server with -js");
}

TEST_F(NatsErrorsTest, ReplicasWithoutANatsClusterAreReported) {
  const NatsServer server(deadline);
  auto settings = settingsFor({server.url()});
  settings.replicas = 3;
  EXPECT_EQ(reasonOf(settings),
            at(server) +
                "stream \"stormo\" cannot have 3 replicas, because the NATS server is not "
                "part of a NATS cluster: set replicas to 1");
}

TEST_F(NatsErrorsTest, StreamWithOtherSubjectsIsReportedUntilItIsGone) {
  const NatsServer server(deadline);
  EXPECT_THAT(server.request("$JS.API.STREAM.CREATE.stormo",
                             R"({"name":"stormo","subjects":["orders.>"],"storage":"file",)"
                             R"("retention":"limits","discard":"old","num_replicas":1})"),
              Not(HasSubstr("error")));
  Node node(settingsFor({server.url()}));
  ASSERT_TRUE(loses(node));
  EXPECT_EQ(node.sink.reasons[0],
            at(server) +
                "stream \"stormo\" exists and cannot be used: subject is orders.>, not stormo.log; "
                "change the settings, set another stream name, or delete the stream");
  EXPECT_THAT(server.request("$JS.API.STREAM.DELETE.stormo", ""), HasSubstr("\"success\":true"));
  EXPECT_TRUE(connects(node));
}

TEST_F(NatsErrorsTest, SubjectOfAnotherStreamIsReported) {
  const NatsServer server(deadline);
  EXPECT_THAT(server.request("$JS.API.STREAM.CREATE.all",
                             R"({"name":"all","subjects":["stormo.>"],"storage":"file",)"
                             R"("retention":"limits","discard":"old","num_replicas":1})"),
              Not(HasSubstr("error")));
  EXPECT_EQ(reasonOf(settingsFor({server.url()})),
            at(server) +
                "another stream has the subject stormo.log: delete it, or set another stream name");
}

TEST_F(NatsErrorsTest, StreamWithOtherStorageIsReported) {
  const NatsServer server(deadline);
  auto settings = settingsFor({server.url()});
  {
    Node node(settings);
    ASSERT_TRUE(connects(node));
  }
  settings.storage = channel::StreamStorage::Memory;
  EXPECT_THAT(reasonOf(settings), HasSubstr("storage is file, not memory"));
}

TEST_F(NatsErrorsTest, StreamWithOtherLimitsIsUsedAsItIs) {
  const NatsServer server(deadline);
  auto settings = settingsFor({server.url()});
  Node node(settings);
  ASSERT_TRUE(connects(node));
  settings.maxBytes = 5 << 20;
  settings.maxAge = std::chrono::hours(1);
  testing::internal::CaptureStderr();
  Node other(settings);
  EXPECT_TRUE(connects(other));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("differences=\"maximum size is 1073741824 bytes, not 5242880 bytes, "
                        "maximum age is no limit, not 3600 s\""));
  EXPECT_THAT(other.sink.reasons, IsEmpty());
}

TEST_F(NatsErrorsTest, StatedPermissionsAreEnough) {
  const NatsServer server(deadline,
                          std::string(NatsServer::kJetStream) +
                              "authorization { users: [ { user: u, password: p, permissions: { "
                              "publish: [\"stormo.>\", \"_INBOX.>\", \"$JS.API.>\", \"$JS.FC.>\"], "
                              "subscribe: [\"stormo.>\", \"_INBOX.>\"] } } ] }\n");
  Node node(settingsFor({server.url("u:p")}));
  ASSERT_TRUE(connects(node));
  node.stream.readFrom(1);
  const std::string body(100'000, 'x');
  for (int i = 0; i < 100; ++i) node.stream.publish(std::to_string(i), body);  // flow control
  node.stream.ask("?");
  ASSERT_TRUE(has(node, 100));
  ASSERT_TRUE(turnUntil([&] { return !node.sink.questions.empty(); }));
  node.stream.answer(node.sink.questions[0].first, "!");
  ASSERT_TRUE(turnUntil([&] { return !node.sink.answers.empty(); }));
  EXPECT_THAT(node.sink.reasons, IsEmpty());
  EXPECT_THAT(node.sink.refusals, IsEmpty());
}

TEST_F(NatsErrorsTest, MissingPermissionIsReported) {
  const NatsServer server(deadline,
                          std::string(NatsServer::kJetStream) +
                              "authorization { users: [ { user: u, password: p, permissions: { "
                              "publish: { deny: \"$JS.API.CONSUMER.>\" } } } ] }\n");
  Node node(settingsFor({server.url("u:p")}));
  ASSERT_TRUE(connects(node));
  node.stream.readFrom(1);
  ASSERT_TRUE(loses(node));
  EXPECT_THAT(node.sink.reasons[0], HasSubstr("Permissions Violation"));
}

TEST_F(NatsErrorsTest, TlsVerifiesTheServer) {
  const TempDirectory keys;
  const TlsCertificate certificate = makeCertificate(keys, "127.0.0.1");
  const NatsServer server(deadline, std::string(NatsServer::kJetStream) + "tls { cert_file: \"" +
                                        certificate.certificateFile + "\", key_file: \"" +
                                        certificate.keyFile + "\", timeout: 10 }\n");
  const std::string url = server.url("", "tls");
  EXPECT_THAT(reasonOf(settingsFor({url})), HasSubstr("TLS: "));
  auto settings = settingsFor({url});
  settings.tls.authoritiesFile = certificate.certificateFile;
  Node node(settings);
  EXPECT_TRUE(connects(node)) << testing::PrintToString(node.sink.reasons);
  // A server that requires TLS is verified without tls://, too.
  EXPECT_THAT(reasonOf(settingsFor({server.url()})), HasSubstr("TLS: "));
}

TEST_F(NatsErrorsTest, TlsCertificateOfAnotherHostIsRejected) {
  const TempDirectory keys;
  const TlsCertificate certificate = makeCertificate(keys, "other.example");
  const NatsServer server(deadline, std::string(NatsServer::kJetStream) + "tls { cert_file: \"" +
                                        certificate.certificateFile + "\", key_file: \"" +
                                        certificate.keyFile + "\", timeout: 10 }\n");
  auto settings = settingsFor({server.url("", "tls")});
  settings.tls.authoritiesFile = certificate.certificateFile;
  EXPECT_THAT(reasonOf(settings), HasSubstr("TLS: "));
}

TEST_F(NatsErrorsTest, TlsForAServerWithoutItIsReported) {
  const NatsServer server(deadline);
  EXPECT_THAT(reasonOf(settingsFor({server.url("", "tls")})),
              HasSubstr("use nats:// instead of tls://"));
}

}  // namespace
}  // namespace stormo::test
