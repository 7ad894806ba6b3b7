// Keys of tokens that are fetched from a URL, of a server that the test controls.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>

#include "access/signing_key.h"
#include "integration/harness/key_server.h"
#include "integration/harness/with_stormo.h"
#include "support/websocket_client.h"

namespace stormo::integration {
namespace {

using access::SigningKey;
using test::WebSocketClient;
using ::testing::HasSubstr;

/// A key pair, and its name in tokens and key sets.
struct NamedKey {
  std::string id;
  SigningKey key{access::KeyKind::P256};

  [[nodiscard]] std::string set() const {
    return R"({"keys":[{"kid":")" + id + "\"," + key.publicJwk() + "}]}";
  }
  [[nodiscard]] std::string token(const std::string& user) const {
    return access::compactToken(
        R"({"alg":"ES256","kid":")" + id + "\"}", R"({"sub":")" + user + "\"}",
        [&](const std::string& text) { return key.sign(access::Algorithm::ES256, text); });
  }
};

class TokenKeys : public WithStormo {
 protected:
  TokenKeys() { std::filesystem::create_directory(serverFolder); }

  void startWith(const Words& options) {
    Words words = {"--workers", "2", "--token-key-set-url"};
    words.insert(words.end(), options.begin(), options.end());
    stormo.start(freePort(words));
  }
  /// "pong", or the code and the reason with which the server closes.
  std::string connect(const std::string& token) {
    WebSocketClient client = WebSocketClient::open(stormo.port(), "/?token=" + token);
    client.sendText("ping");
    const auto frame = client.await();
    if (!frame) return "the connection has ended";
    if (frame->opcode != websocket::Opcode::Close) return frame->payload;
    return std::to_string(static_cast<int>(WebSocketClient::closeCode(*frame))) + ' ' +
           WebSocketClient::closeReason(*frame);
  }
  void awaitOutcome(const std::string& token, const std::string& expected) {
    EXPECT_TRUE(test::eventually(deadline, [&] { return connect(token) == expected; }))
        << connect(token);
  }
  void awaitLogLine(const std::string& text) {
    EXPECT_TRUE(test::eventually(deadline, [&] {
      return stormo.foreground().errors().find(text) != std::string::npos;
    })) << stormo.foreground().errors();
  }
  /// The copy that the workers share.
  [[nodiscard]] std::string copy() const {
    for (const auto& each : std::filesystem::recursive_directory_iterator(stormo.folder())) {
      if (each.path().filename() == "keys.json") return each.path();
    }
    return {};
  }

  const std::string serverFolder = stormo.folder() + "/server";
  const NamedKey first{.id = "first"};
  const NamedKey second{.id = "second"};
  const std::string unknown = "4401 the token's key is not known";
};

TEST_F(TokenKeys, AreFetchedOnceForAllWorkers) {
  KeyServer server(deadline, serverFolder);
  server.answer(first.set());
  startWith({server.url(), "--workers", "3"});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(connect(first.token("ada")), "pong");
  EXPECT_EQ(server.requests(), 1u);
  struct stat status {};
  ASSERT_EQ(::stat(copy().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(TokenKeys, AKeyThatIsNotKnownIsFetchedAtOnceButNotForEachToken) {
  KeyServer server(deadline, serverFolder);
  server.answer(first.set(), "Cache-Control: max-age=86400\r\n");
  startWith({server.url(), "--token-key-set-refresh-seconds", "86400"});
  EXPECT_EQ(connect(first.token("ada")), "pong");
  // Within 30 s of the first fetch there is no other one.
  for (int i = 0; i < 10; ++i) EXPECT_EQ(connect(second.token("ada")), unknown);
  EXPECT_EQ(server.requests(), 1u);
}

TEST_F(TokenKeys, ExchangedKeysAreUsedByAllWorkers) {
  KeyServer server(deadline, serverFolder);
  server.answer(first.set());
  startWith({server.url(), "--token-key-set-refresh-seconds", "2"});
  EXPECT_EQ(connect(first.token("ada")), "pong");
  server.answer(second.set());
  awaitOutcome(second.token("ada"), "pong");
  awaitLogLine("the keys of tokens were exchanged");
  for (int i = 0; i < 10; ++i) awaitOutcome(first.token("ada"), unknown);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(connect(second.token("ada")), "pong");
}

TEST_F(TokenKeys, AFailedFetchKeepsTheEarlierKeysAndIsLogged) {
  KeyServer server(deadline, serverFolder);
  server.answer(first.set());
  startWith({server.url(), "--token-key-set-refresh-seconds", "1", "--workers", "1"});
  EXPECT_EQ(connect(first.token("ada")), "pong");
  const std::pair<std::string, std::function<void()>> table[] = {
      {"it is no JSON object with a list of 'keys'", [&] { server.answer("<html>"); }},
      {"the answer has status 500", [&] { server.answer(first.set(), "", 500); }},
      {"the answer has more than 1048576 bytes",
       [&] { server.answer(std::string((1 << 20) + 1, ' ')); }},
      {"Maximum (3) redirects followed", [&] { server.answer("", "Location: /again\r\n", 302); }},
      {"Failed to connect", [&] { server.stop(); }},
  };
  for (const auto& [reason, fail] : table) {
    fail();
    awaitLogLine("url=" + server.url() + " reason=\"" + reason);
    EXPECT_EQ(connect(first.token("ada")), "pong") << reason;
  }
  server.answer(second.set());
  server.start();
  awaitLogLine("the keys of tokens can be fetched again");
  awaitOutcome(second.token("ada"), "pong");
}

TEST_F(TokenKeys, AStartWithoutTheServerUsesTheCopy) {
  KeyServer server(deadline, serverFolder);
  server.answer(first.set());
  const Words options = {server.url(), "--token-key-set-refresh-seconds", "1"};
  startWith(options);
  EXPECT_EQ(connect(first.token("ada")), "pong");
  server.stop();
  stormo.succeed({"stop"});
  startWith(options);
  EXPECT_EQ(connect(first.token("ada")), "pong");
  stormo.succeed({"stop"});
  startWith({server.url() + "?other"});  // its copy is not that of another URL
  EXPECT_EQ(connect(first.token("ada")), unknown);
  awaitLogLine("no token is accepted until it can");
}

TEST_F(TokenKeys, TheCertificateOfTheServerIsChecked) {
  const std::string name = serverFolder + "/dev";
  ASSERT_EQ(SpawnedProgram(deadline, {STORMO_BIN_DIR "/stormo", "dev-cert", "--name", name})
                .waitForEnd()
                .status,
            0);
  KeyServer server(deadline, serverFolder, name + ".crt");
  server.answer(first.set());
  startWith({server.url("localhost"), "--workers", "1"});
  awaitLogLine("self-signed certificate");
  EXPECT_EQ(connect(first.token("ada")), unknown);
  stormo.succeed({"stop"});
  startWith({server.url("localhost"), "--token-key-set-ca-file", name + ".crt",
             "--token-key-set-refresh-seconds", "1"});
  awaitOutcome(first.token("ada"), "pong");
}

TEST_F(TokenKeys, MistakesAreStatedInOneLine) {
  const std::pair<Words, std::string> table[] = {
      {{"--token-key-set-url", "http://id.example/keys"}, "insecure+http://"},
      {{"--token-key-set-url", "ftp://id.example/keys"}, "must begin with https://"},
      {{"--token-key-set-ca-file", "/none"}, "--token-key-set-url, which is not set"},
      {{"--token-key-set-url", "https://id.example/", "--token-key-set-ca-file", "/none"},
       "cannot read the key file /none"},
  };
  for (const auto& [options, expected] : table) {
    Words words = {"start"};
    words.insert(words.end(), options.begin(), options.end());
    const Outcome outcome = stormo.run(words);
    EXPECT_NE(outcome.status, 0) << expected;
    EXPECT_THAT(outcome.errors, HasSubstr(expected));
  }
}

}  // namespace
}  // namespace stormo::integration
