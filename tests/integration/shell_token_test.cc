// `stormo token`, as a person uses it: docs/access.md.
#include <gmock/gmock.h>

#include "access/token_signer.h"
#include "integration/harness/shell_outcome.h"
#include "integration/harness/v1_client.h"
#include "integration/harness/with_api.h"

namespace stormo::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

class ShellToken : public WithApi {
 protected:
  Outcome token(const Words& options) {
    Words words = {STORMO_BIN_DIR "/stormo", "token"};
    words.insert(words.end(), options.begin(), options.end());
    return SpawnedProgram(deadline, words).waitForEnd();
  }
  Outcome make(const Words& options) {
    Words words = {"--secret-file", secretFile};
    words.insert(words.end(), options.begin(), options.end());
    return token(words);
  }
  Outcome check(const std::string& checked) { return make({"--check", checked}); }

  const std::string secretFile = file("secret", std::string(32, 's') + "\n");
};

TEST_F(ShellToken, IsMadeCheckedAndAcceptedByTheServer) {
  startWithApi({"--token-secret-file", secretFile});
  const Outcome made = make({"-u", "ada", "-g", "news", "-r", "chat.*=join,send", "-r", "inbox",
                             "--info", R"({"name":"Ada"})", "--expires", "2h"});
  EXPECT_EQ(made.status, 0) << made.errors;
  EXPECT_THAT(made.errors, IsEmpty());
  EXPECT_THAT(made.output, MatchesRegex("[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\n"));
  const std::string text = made.output.substr(0, made.output.size() - 1);
  const Outcome checked = check(text);
  EXPECT_EQ(checked.status, 0) << checked.errors;
  EXPECT_THAT(checked.output, MatchesRegex("user     ada\n"
                                           "info     \\{\"name\":\"Ada\"\\}\n"
                                           "groups   news\n"
                                           "right    chat\\.\\* join, send\n"
                                           "right    inbox join, send, history, presence\n"
                                           "expires  20..-..-.. ..:..:.. [^ ]+\n"));
  V1Client client(deadline, port, text);
  const Json welcome = client.nextEvent();
  EXPECT_EQ(welcome.at("user"), "ada");
  EXPECT_EQ(welcome.at("groups"), Json({"news"}));
  EXPECT_EQ(client.join({{"group", "chat.1"}}).at("ok"), true);
  EXPECT_EQ(client.join({{"group", "other"}}).at("error").at("code"), "forbidden");
}

TEST_F(ShellToken, ThatNoServerWouldAcceptIsNotMade) {
  const std::string claim =
      "stormo token: no server would accept that: a claim of the token is missing or malformed: ";
  expectOneLine(make({"--user", std::string(254, 'a')}), 2, claim + "sub");
  expectOneLine(make({"--user", "a\nb"}), 2, claim + "sub");
  expectOneLine(make({"--user", "ada", "--group", ""}), 2, claim + "groups");
  expectOneLine(make({"--user", "ada", "--info", R"({"a":")" + std::string(16'000, 'x') + "\"}"}),
                2, "stormo token: no server would accept that: the token is malformed");
  expectOneLine(make({"--user", "a\xff"}), 2, "stormo token: names must be valid UTF-8");
  expectOneLine(make({"--user", "ada", "--expires", "-5s"}), 2,
                "stormo token: --expires must not be negative (0: it never expires)");
}

TEST_F(ShellToken, ThatIsNotValidFailsItsCheckWithTheReason) {
  expectOneLine(check("x"), 1, "stormo token: the token is malformed");
  expectOneLine(check(""), 1, "stormo token: the token is malformed");
  expectOneLine(check(tokenOfUser("ada")), 1, "stormo token: the token's signature is not valid");
  const std::string expired =
      access::signToken(R"({"sub":"ada","exp":1000})", std::string(32, 's'));
  expectOneLine(check(expired), 1, "stormo token: the token has expired");
  const std::string nobody = access::signToken(R"({"exp":9000000000})", std::string(32, 's'));
  expectOneLine(check(nobody), 1,
                "stormo token: a claim of the token is missing or malformed: sub");
}

TEST_F(ShellToken, WrongWordsGetALineThatNamesThem) {
  expectWrongWords(token({"--user", "ada", "--check", "x"}), "--user excludes --check");
  expectWrongWords(make({"--user"}), "--user: 1 required TEXT missing");
  expectWrongWords(make({"--user", "ada", "--expires", "5x"}),
                   "--expires: x unit not recognized. Allowed values: {d,h,m,s}");
  expectWrongWords(make({"--user", "ada", "--key-file", "x"}), "--key-file requires --check");
  expectOneLine(make({"--user", "ada", "--right", "a="}), 2,
                "stormo token: --right a=: '' is none of join, send, history and presence");
  expectOneLine(make({}), 2, "stormo token: a token needs --user");
  EXPECT_THAT(token({"--help"}).output, HasSubstr("Usage: stormo token"));
}

}  // namespace
}  // namespace stormo::integration
