// A server with a certificate, as a person tries it.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "integration/harness/tls_client.h"
#include "integration/harness/with_stormo.h"
#include "support/websocket_client.h"

namespace stormo::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class TlsServer : public WithStormo {
 protected:
  [[nodiscard]] std::string file(const std::string& name) const {
    return stormo.folder() + "/" + name;
  }
  Outcome devCert(const Words& options = {}) {
    Words words = {STORMO_BIN_DIR "/stormo", "dev-cert", "--name", file("dev")};
    words.insert(words.end(), options.begin(), options.end());
    return SpawnedProgram(deadline, words).waitForEnd();
  }
  static Words startOf(const Words& options) {
    Words words = freePort(options);
    words.insert(words.begin(), "start");
    return words;
  }
  void startWithTls() {
    ASSERT_EQ(devCert().status, 0);
    stormo.start(
        freePort({"--workers", "2", "--tls-cert", file("dev.crt"), "--tls-key", file("dev.key")}));
  }
};

TEST_F(TlsServer, ServesItsPageAndGroupsOverTls) {
  startWithTls();
  TlsClient page(deadline, stormo.port());
  page.tls.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  page.awaitText("</html>");
  EXPECT_THAT(page.received, StartsWith("HTTP/1.1 200 OK\r\n"));

  TlsClient member(deadline, stormo.port());
  member.tls.send(test::WebSocketClient::request());
  member.awaitText("\r\n\r\n");
  EXPECT_THAT(member.received, StartsWith("HTTP/1.1 101 "));
  member.tls.send(
      test::WebSocketClient::text(R"({"cmd":"add_group","group_id":"123"})") +
      test::WebSocketClient::text(R"({"cmd":"send_to_group","group_id":"123","message":"ciao"})"));
  member.awaitText("ciao");
}

// A ticket is used once, so each connection resumes the session of the one before.
TEST_F(TlsServer, ProcessesResumeEachOthersSessions) {
  startWithTls();
  test::TlsPeer::Session session;
  std::vector<std::unique_ptr<TlsClient>> open;
  for (int i = 0; i < 16; ++i) {
    open.push_back(std::make_unique<TlsClient>(deadline, stormo.port(), session.get()));
    TlsClient& client = *open.back();
    EXPECT_EQ(client.tls.wasResumed(), i > 0);
    client.tls.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.awaitText("</html>");  // and the ticket before it
    session = client.tls.session();
  }
}

TEST_F(TlsServer, ANewCertificateIsUsedWithoutADisconnect) {
  startWithTls();
  TlsClient old(deadline, stormo.port());
  EXPECT_EQ(old.tls.certificateName(), "Stormo development");
  old.tls.send(test::WebSocketClient::request());
  old.awaitText("\r\n\r\n");
  const auto certificateNow = [&] {
    return TlsClient(deadline, stormo.port()).tls.certificateName();
  };
  const auto replace = [&](const std::string& host) {
    const test::TempDirectory made;
    const TlsCertificate files = test::makeCertificate(made, host);
    const auto over = std::filesystem::copy_options::overwrite_existing;
    std::filesystem::copy(files.certificateFile, file("dev.crt"), over);
    std::filesystem::copy(files.keyFile, file("dev.key"), over);
  };
  // The order to read it reaches the processes after the command has ended.
  const auto awaitCertificate = [&](const std::string& host) {
    while (certificateNow() != host) deadline.check("the new certificate");
  };
  replace("second.example");
  EXPECT_EQ(stormo.run({"reload-tls"}).status, 0);
  awaitCertificate("second.example");
  replace("third.example");
  ::kill(stormo.pids("master").at(0), SIGHUP);
  awaitCertificate("third.example");

  std::ofstream(file("dev.crt")) << "no certificate";
  const Outcome refused = stormo.run({"reload-tls"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.errors, HasSubstr("dev.crt': it has no certificate in PEM format"));
  const Outcome reload = stormo.run({"reload"});
  EXPECT_EQ(reload.status, 1);
  EXPECT_EQ(certificateNow(), "third.example");

  old.tls.send(test::WebSocketClient::text(R"({"cmd":"add_group","group_id":"1"})") +
               test::WebSocketClient::text(
                   R"({"cmd":"send_to_group","group_id":"1","message":"still here"})"));
  old.awaitText("still here");
}

TEST_F(TlsServer, CheckConfigReportsAnExpiredCertificate) {
  const test::TempDirectory made;
  const TlsCertificate expired = test::makeCertificate(made, "localhost", -60);
  std::ofstream(file("stormo.toml")) << "[tls]\ncert = \"" << expired.certificateFile
                                     << "\"\nkey = \"" << expired.keyFile << "\"\n";
  const Outcome checked = stormo.run({"check-config", file("stormo.toml")});
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(checked.errors, HasSubstr("localhost.crt has expired"));
}

TEST_F(TlsServer, AWrongFileIsAnErrorAtStart) {
  ASSERT_EQ(devCert().status, 0);
  const Outcome missing = stormo.run(startOf({"--tls-cert", file("none.crt")}));
  EXPECT_NE(missing.status, 0);
  EXPECT_THAT(missing.errors, HasSubstr("the certificate file '" + file("none.crt") +
                                        "': no such file or directory"));
  const Outcome alone = stormo.run(startOf({"--tls-key", file("dev.key")}));
  EXPECT_THAT(alone.errors, HasSubstr("--tls-key needs --tls-cert"));
}

TEST_F(TlsServer, DevCertNeverReplacesAFile) {
  const Outcome first = devCert();
  EXPECT_EQ(first.status, 0);
  EXPECT_THAT(first.output, HasSubstr("stormo start --tls-cert"));
  const auto permissions = std::filesystem::status(file("dev.key")).permissions();
  EXPECT_EQ(permissions & std::filesystem::perms::group_all, std::filesystem::perms::none);
  EXPECT_EQ(permissions & std::filesystem::perms::others_all, std::filesystem::perms::none);
  const Outcome second = devCert();
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.errors, HasSubstr("dev.crt exists"));
  const Outcome wrong = devCert({"--host", "999.1.1.1"});
  EXPECT_EQ(wrong.status, 1);
}

}  // namespace
}  // namespace stormo::integration
