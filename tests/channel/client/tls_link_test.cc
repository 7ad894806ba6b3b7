// Links to the Channel that speak TLS.
#include "channel/channel_fixture.h"
#include "channel/client/client_link.h"
#include "net/tls/tls_context.h"
#include "support/tls_peer.h"

namespace stormo::channel {
namespace {

class TlsLinkTest : public ChannelTest {
 protected:
  void startTls() {
    start();
    process->useTls(net::TlsContext::ofServer(net::TlsMaterial::read({.certificates = {own}})));
  }
  /// Waits until a message of group "g" has come back to its sender.
  void expectDelivers(const std::string& scheme, ChannelOptions options) {
    options.tls.authoritiesFile = own.certificateFile;
    ClientLink link(url(scheme), std::move(options));
    std::string received;
    link.onGroupMessage = [&](const GroupMessage& message) { received = message.message.data; };
    link.dialect().subscribeGroup("g");
    link.connect();
    ASSERT_TRUE(turnUntil([&] { return link.isConnected(); }));
    ASSERT_EQ(link.dialect().publishToGroup("g", "ciao", {}), PublishStatus::Accepted);
    ASSERT_TRUE(turnUntil([&] { return received == "ciao"; }));
  }

  test::TempDirectory directory;
  const TlsCertificate own = test::makeCertificate(directory, "127.0.0.1");
};

TEST_F(TlsLinkTest, BothDialectsPass) {
  server.secret = "s3cret";
  startTls();
  expectDelivers("stormos", {.secret = "s3cret"});
  expectDelivers("frames", {});
}

TEST_F(TlsLinkTest, AServerThatIsNotTrustedGetsNothing) {
  startTls();
  const TlsCertificate other = test::makeCertificate(directory, "other");
  ClientLink link(url("stormos"), {.tls = {.authoritiesFile = other.certificateFile}});
  link.connect();
  EXPECT_TRUE(turnUntil([&] { return counters().badPeers.get() >= 2; }));  // it tries again
  EXPECT_FALSE(link.isConnected());
}

}  // namespace
}  // namespace stormo::channel
