// Tokens, as a person tries them: docs/access.md.
#include <gmock/gmock.h>

#include <csignal>
#include <fstream>

#include "integration/harness/with_stormo.h"
#include "support/websocket_client.h"

namespace stormo::integration {
namespace {

using test::WebSocketClient;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Access : public WithStormo {
 protected:
  [[nodiscard]] std::string file(const std::string& name, const std::string& content) const {
    const std::string path = stormo.folder() + "/" + name;
    std::ofstream(path) << content;
    return path;
  }
  Outcome tokenCommand(const Words& options) {
    Words words = {STORMO_BIN_DIR "/stormo", "token"};
    words.insert(words.end(), options.begin(), options.end());
    return SpawnedProgram(deadline, words).waitForEnd();
  }
  /// A token that the command has made.
  std::string token(const Words& options) {
    Words words = {"--secret-file", secretFile};
    words.insert(words.end(), options.begin(), options.end());
    const Outcome made = tokenCommand(words);
    EXPECT_EQ(made.status, 0) << made.errors;
    return made.output.substr(0, made.output.find('\n'));
  }
  WebSocketClient connect(const std::string& token) {
    WebSocketClient client = WebSocketClient::open(stormo.port(), "/?token=" + token);
    EXPECT_TRUE(client.isOpen());
    return client;
  }
  static std::string next(WebSocketClient& client) {
    const auto frame = client.await();
    return frame ? frame->payload : "the connection has ended";
  }

  const std::string secretFile = file("secret", std::string(40, 's') + "\n");
};

TEST_F(Access, ATokenOfTheCommandAllowsWhatItStates) {
  stormo.start(freePort({"--workers", "2", "--token-secret-file", secretFile}));
  WebSocketClient ada =
      connect(token({"--user", "ada", "--group", "chat", "--right", "chat=send"}));
  ada.sendText(R"({"cmd":"send_to_group","group_id":"chat","message":"hello"})");
  EXPECT_EQ(next(ada), "hello");
  ada.sendText(R"({"cmd":"add_group","group_id":"news"})");
  EXPECT_THAT(next(ada), HasSubstr(R"("code":"forbidden")"));

  WebSocketClient stranger = WebSocketClient::open(stormo.port());
  stranger.sendText(R"({"cmd":"add_group","group_id":"chat"})");
  EXPECT_THAT(next(stranger), HasSubstr(R"("code":"forbidden")"));
  stranger.sendText(R"({"cmd":"refresh","token":")" + token({"--user", "bob", "--right", "*"}) +
                    R"("})");
  stranger.sendText(R"({"cmd":"add_group","group_id":"chat"})");
  stranger.sendText(R"({"cmd":"send_to_group","group_id":"chat","message":"and me"})");
  EXPECT_EQ(next(stranger), "and me");
  EXPECT_EQ(next(ada), "and me");
}

TEST_F(Access, RulesLetGuestsReadAndUsersWriteWithTheirName) {
  stormo.start(freePort({"--workers", "2", "--token-secret-file", secretFile, "--rule",
                         "chat.*=join:anyone+send:users+envelope", "--rule",
                         "*=join:nobody+send:nobody", "--token-timeout-seconds", "1"}));
  WebSocketClient guest = WebSocketClient::open(stormo.port());
  guest.sendText(R"({"cmd":"add_group","group_id":"chat.1"})");
  guest.sendText(R"({"cmd":"send_to_group","group_id":"chat.1","message":"x"})");
  EXPECT_THAT(next(guest), HasSubstr(R"("code":"forbidden")"));
  WebSocketClient ada = connect(token({"--user", "ada", "--right", "*"}));
  ada.sendText(R"({"cmd":"send_to_group","group_id":"news","message":"x"})");
  EXPECT_THAT(next(ada), HasSubstr(R"("code":"forbidden")"));
  ada.sendText(R"({"cmd":"send_to_group","group_id":"chat.1","message":"hi"})");
  EXPECT_EQ(next(guest), R"({"user":"ada","message":"hi"})");
}

TEST_F(Access, TheConnectionsOfAUserAreLimitedOverAllWorkers) {
  stormo.start(freePort(
      {"--workers", "3", "--token-secret-file", secretFile, "--connections-per-user", "4"}));
  const std::string ada = token({"--user", "ada"});
  std::vector<WebSocketClient> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(connect(ada));
    clients.back().sendText("ping");
    EXPECT_EQ(next(clients.back()), "pong");
  }
  for (int i = 0; i < 6; ++i) {
    WebSocketClient more = connect(ada);
    const auto frame = more.await();
    ASSERT_TRUE(frame);
    EXPECT_EQ(WebSocketClient::closeCode(*frame), CloseCode{4429});
    EXPECT_EQ(WebSocketClient::closeReason(*frame), "too many connections of this user");
  }
  // A killed worker's clients count no more.
  for (const pid_t pid : stormo.pids("worker")) ::kill(pid, SIGKILL);
  for (WebSocketClient& each : clients) EXPECT_FALSE(each.await());
  const auto isAdmitted = [&] {
    WebSocketClient client = WebSocketClient::open(stormo.port(), "/?token=" + ada);
    client.sendText("ping");
    return next(client) == "pong";
  };
  EXPECT_TRUE(test::eventually(deadline, isAdmitted));
}

TEST_F(Access, LimitsOfUsersNeedAKey) {
  EXPECT_THAT(stormo.run({"start", "--connections-per-user", "4"}).errors,
              HasSubstr("--connections-per-user needs a key of tokens"));
}

TEST_F(Access, AWrongTokenIsClosedWithItsReason) {
  stormo.start(freePort({"--workers", "1", "--token-secret-file", secretFile}));
  WebSocketClient client = connect("no-token");
  const auto frame = client.await();
  ASSERT_TRUE(frame);
  EXPECT_EQ(WebSocketClient::closeCode(*frame), CloseCode{4401});
  EXPECT_EQ(WebSocketClient::closeReason(*frame), "the token is malformed");
}

TEST_F(Access, ASecondSecretIsAcceptedToo) {
  const std::string both = file("both", std::string(40, 'n') + "\n" + std::string(40, 's') + "\n");
  stormo.start(freePort({"--workers", "1", "--token-secret-file", both}));
  WebSocketClient client = connect(token({"--user", "ada", "--right", "*"}));
  client.sendText("ping");
  EXPECT_EQ(next(client), "pong");
}

TEST_F(Access, TheCommandShowsWhatATokenStates) {
  const std::string made = token({"--user", "ada", "--group", "a", "--group", "b", "--right",
                                  "chat.*=join,send", "--info", R"({"name": "Ada"})"});
  const Outcome shown = tokenCommand({"--secret-file", secretFile, "--check", made});
  EXPECT_EQ(shown.status, 0) << shown.errors;
  EXPECT_THAT(shown.output,
              AllOf(HasSubstr("user     ada\n"), HasSubstr("info     {\"name\":\"Ada\"}\n"),
                    HasSubstr("groups   a, b\n"), HasSubstr("right    chat.* join, send\n"),
                    HasSubstr("expires  2")));
  const std::string lasting = token({"--user", "ada", "--expires", "0"});
  EXPECT_THAT(tokenCommand({"--secret-file", secretFile, "--check", lasting}).output,
              HasSubstr("expires  never\n"));
  const std::string otherSecret = file("other", std::string(40, 'o'));
  const Outcome wrong = tokenCommand({"--secret-file", otherSecret, "--check", made});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_EQ(wrong.errors, "stormo token: the token's signature is not valid\n");
}

TEST_F(Access, MistakesOfTheCommandAreStatedInOneLine) {
  const std::string shortSecret = file("short", "short\n");
  const std::pair<Words, std::string> table[] = {
      {{"--user", "ada"}, "a token needs a secret: --secret-file"},
      {{"--secret-file", secretFile}, "a token needs --user"},
      {{"--secret-file", shortSecret, "--user", "ada"}, "at least 32 bytes, this one has 5"},
      {{"--secret-file", secretFile, "--user", "ada", "--right", "a=fly"}, "'fly' is none of join"},
      {{"--secret-file", secretFile, "--user", "ada", "--info", "[]"}, "must be a JSON object"},
      {{"--secret-file", secretFile, "--user", ""}, "a token needs --user"},
      {{"--check", "x"}, "takes a key"},
      {{"--secret-file", "/none", "--check", "x"}, "cannot read the secret file /none"},
      {{"--key-file", "/none", "--check", "x"}, "cannot read the key file /none"},
  };
  for (const auto& [words, expected] : table) {
    const Outcome outcome = tokenCommand(words);
    EXPECT_NE(outcome.status, 0) << expected;
    EXPECT_THAT(outcome.errors, HasSubstr(expected));
    EXPECT_THAT(outcome.output, IsEmpty()) << expected;
  }
}

TEST_F(Access, AKeyThatCannotBeUsedIsAnErrorAtStart) {
  const std::string wrong = file("wrong.pem", "no key");
  const Outcome started = stormo.run({"start", "--token-key-file", wrong});
  EXPECT_NE(started.status, 0);
  EXPECT_THAT(started.errors, HasSubstr("no public key"));
  const Outcome cookie =
      stormo.run({"start", "--token-secret-file", secretFile, "--token-cookie", "session"});
  EXPECT_THAT(cookie.errors, HasSubstr("--token-cookie needs --origin"));
}

}  // namespace
}  // namespace stormo::integration
