// Revoked tokens, over killed processes and restarts: docs/access.md, docs/api.md.
#include <gmock/gmock.h>

#include <csignal>
#include <ctime>
#include <set>

#include "integration/harness/v1_client.h"
#include "integration/harness/with_api.h"

namespace stormo::integration {
namespace {

constexpr CloseCode kUnauthorized{4401};

class Revocation : public WithApi {
 protected:
  void revoke(const Json& body) const {
    const Answer answer = call("POST /v1/revoke", body.dump());
    EXPECT_EQ(answer.status, 200) << answer.body;
  }
  /// A client that was welcomed. Then it is closed only if its token is revoked afterwards.
  std::unique_ptr<V1Client> admitted(const std::string& token) {
    auto client = std::make_unique<V1Client>(deadline, port, token);
    EXPECT_EQ(client->nextEvent().at("event"), "welcome");
    return client;
  }
  static void expectRevoked(V1Client& client) {
    const V1Client::Closed closed = client.awaitClose();
    EXPECT_EQ(closed.code, kUnauthorized);
    EXPECT_EQ(closed.reason, "the token has been revoked");
  }
  /// Each worker accepts some of these connections, also while it has just begun.
  void expectRefused(const std::string& token) {
    for (int i = 0; i < 6; ++i) {
      V1Client client(deadline, port, token);
      ASSERT_TRUE(client.isOpen());
      expectRevoked(client);
    }
  }
  void expectAccepted(const std::string& token) {
    for (int i = 0; i < 6; ++i) {
      const auto client = admitted(token);
      EXPECT_EQ(client->request({{"cmd", "ping"}}).at("ok"), true);
    }
  }
  /// SIGTERM, and `start` with the same directory.
  void restartServer(const Words& options = {}) {
    stormo.foreground().signal(SIGTERM);
    EXPECT_EQ(stormo.foreground().waitForEnd().status, 0);
    startWithTokens(options);
  }

  const std::int64_t now = std::time(nullptr);
  const std::string adas = tokenOfUser("ada");
  const std::string bobs = tokenOfUser("bob");
};

TEST_F(Revocation, ClosesTheClientsOfAUserOnAllWorkersAtOnce) {
  startWithTokens();
  std::vector<std::unique_ptr<V1Client>> hers;
  for (int i = 0; i < 12; ++i) hers.push_back(admitted(adas));
  std::vector<std::uint16_t> localPorts;
  for (const auto& client : hers) localPorts.push_back(client->localPort());
  const std::vector<pid_t> workers = workersOf(stormo, localPorts);
  EXPECT_EQ(std::set<pid_t>(workers.begin(), workers.end()).size(), 2u);
  const auto his = admitted(bobs);
  revoke({{"user", "ada"}, {"for_seconds", 3600}});
  for (const auto& client : hers) expectRevoked(*client);
  EXPECT_EQ(his->request({{"cmd", "ping"}}).at("ok"), true);
  expectRefused(adas);
  expectAccepted(bobs);
  // Nor as a refresh of a connection that was made without a token.
  V1Client guest(deadline, port);
  EXPECT_EQ(guest.request({{"cmd", "refresh"}, {"token", adas}}).at("error").at("code"),
            "invalid_token");
}

TEST_F(Revocation, IsInForceAfterAKilledWorkerAndAKilledChannel) {
  startWithTokens();
  const std::string once = tokenOf({{"sub", "bob"}, {"jti", "once"}});
  revoke({{"user", "ada"}, {"for_seconds", 3600}});
  revoke({{"token", "once"}, {"for_seconds", 3600}});
  const auto expectInForce = [&] {
    expectRefused(adas);
    expectRefused(once);
    expectAccepted(bobs);
  };
  expectInForce();
  for (const pid_t pid : workerPids()) stormo.killAndAwaitSuccessor(pid);
  expectInForce();
  stormo.killAndAwaitSuccessor(channelPid());
  expectInForce();
  // All at once: the workers get the revocations from a Channel that has read its log again.
  for (const pid_t pid : workerPids()) ::kill(pid, SIGKILL);
  stormo.killAndAwaitSuccessor(channelPid());
  expectInForce();
}

TEST_F(Revocation, IsInForceAfterARestartOfTheWholeServer) {
  startWithTokens();
  const std::string once = tokenOf({{"sub", "bob"}, {"jti", "once"}});
  revoke({{"user", "ada"}, {"for_seconds", 3600}});
  revoke({{"token", "once"}, {"for_seconds", 3600}});
  restartServer();
  expectRefused(adas);
  expectRefused(once);
  expectAccepted(bobs);
  // As SIGKILL of all processes leaves it.
  ::kill(channelPid(), SIGKILL);
  stormo.foreground().signal(SIGKILL);
  EXPECT_EQ(stormo.foreground().waitForEnd().status, 128 + SIGKILL);
  startWithTokens();
  expectRefused(adas);
  expectRefused(once);
  expectAccepted(bobs);
}

TEST_F(Revocation, OfEarlierTokensAcceptsOneThatWasIssuedLaterAlsoAfterARestart) {
  startWithTokens();
  const std::string early = tokenOf({{"sub", "ada"}, {"iat", now - 60}});
  const std::string late = tokenOf({{"sub", "ada"}, {"iat", now + 1}});
  const auto client = admitted(early);
  const auto newer = admitted(late);
  revoke({{"user", "ada"}, {"issued_before", now}, {"for_seconds", 3600}});
  expectRevoked(*client);
  EXPECT_EQ(newer->request({{"cmd", "ping"}}).at("ok"), true);
  const auto expectInForce = [&] {
    expectRefused(early);
    expectRefused(adas);  // it does not state when it was issued
    expectAccepted(late);
    expectAccepted(tokenOf({{"sub", "ada"}, {"iat", now}}));
  };
  expectInForce();
  restartServer();
  expectInForce();
}

TEST_F(Revocation, ThatIsReplacedByOneThatHasEndedIsNotInForceAfterARestartEither) {
  startWithTokens();
  revoke({{"user", "ada"}, {"for_seconds", 3600}});
  expectRefused(adas);
  revoke({{"user", "ada"}, {"until", 1}});
  // Each worker has it when it has a later event: a command that this client waits for.
  const auto bob = admitted(bobs);
  call("POST /v1/info", R"({"user":"bob","info":{"a":1}})");
  EXPECT_EQ(bob->nextEvent().at("event"), "info");
  EXPECT_TRUE(test::eventually(deadline, [&] {
    V1Client client(deadline, port, adas);
    return client.request({{"cmd", "ping"}}).value("ok", false);
  }));
  restartServer();
  expectAccepted(adas);
}

}  // namespace
}  // namespace stormo::integration
