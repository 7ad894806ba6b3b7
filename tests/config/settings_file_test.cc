#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "config/settings.h"

namespace stormo::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SettingsFile : public testing::Test {
 protected:
  std::vector<std::string> apply(const std::string& text) {
    std::string path = testing::TempDir() + "stormo-settings-XXXXXX";
    const int fd = ::mkstemp(path.data());
    EXPECT_GE(fd, 0);
    ::close(fd);
    std::ofstream(path) << text;
    std::vector<std::string> complaints = applyFile(path, settings);
    for (std::string& complaint : complaints) {
      EXPECT_TRUE(complaint.starts_with(path)) << complaint;
      complaint.erase(0, path.size());
    }
    std::remove(path.c_str());
    return complaints;
  }

  Settings settings;
};

TEST_F(SettingsFile, SetsTheNamedSettingsAndKeepsTheRest) {
  const auto complaints = apply(R"(
listen = "websocket://127.0.0.1:8080"
workers = 3

[channel]
listen = "frame://127.0.0.1:2206"

[limits]
message-bytes = 65536

[websocket]
origins = ["https://chat.example"]
ping-interval = 15
page = false
)");
  EXPECT_THAT(complaints, ElementsAre());
  EXPECT_THAT(settings.listen, ElementsAre("websocket://127.0.0.1:8080"));
  EXPECT_EQ(settings.workers, 3u);
  EXPECT_EQ(settings.channelListen, "frame://127.0.0.1:2206");
  EXPECT_EQ(settings.messageBytesMax, 65536u);
  EXPECT_THAT(settings.origins, ElementsAre("https://chat.example"));
  EXPECT_EQ(settings.pingInterval, std::chrono::seconds(15));
  EXPECT_FALSE(settings.page);
  EXPECT_EQ(settings.groupsPerClientMax, Settings{}.groupsPerClientMax);
}

TEST_F(SettingsFile, EveryKeyOfEverySettingIsKnown) {
  for (const SettingSpec& spec : settingSpecs()) {
    // No setting is a table, so a known key reports the type of its value.
    const auto complaints = apply(std::string(spec.key) + " = [[1]]\n");
    ASSERT_EQ(complaints.size(), 1u) << spec.key;
    EXPECT_THAT(complaints[0], HasSubstr("must be")) << spec.key;
  }
}

TEST_F(SettingsFile, EachMistakeIsReportedWithItsLineAndRemedy) {
  const auto complaints = apply(R"(workers = "four"
lisen = "websocket://127.0.0.1:8080"
[limits]
message-bytes = 0
[websocket]
origins = ["https://chat.example", 7]
page = 1
)");
  EXPECT_THAT(complaints, testing::UnorderedElementsAre(
                              ":1: 'workers' must be a whole number from 0 on",
                              ":2: unknown setting 'lisen' (did you mean 'listen'?)",
                              ":4: 'limits.message-bytes': must be at least 1",
                              ":6: 'websocket.origins' must be a list of strings: [\"…\", \"…\"]",
                              ":7: 'websocket.page' must be true or false"));
}

TEST_F(SettingsFile, AnOriginThatNoPageCanHaveIsReportedWithLineAndRemedy) {
  EXPECT_THAT(apply(R"([websocket]
origins = ["https://*.chat.example", "chat.example", "https://chat.example:443/"]
)"),
              testing::ElementsAre(":2: 'websocket.origins': 'chat.example' has no scheme: write "
                                   "https://chat.example"));
  EXPECT_THAT(apply("[websocket]\norigins = [\"https://chat.example:443/\"]\n"),
              testing::ElementsAre(":2: 'websocket.origins': 'https://chat.example:443/' has a "
                                   "path, which no origin has: write https://chat.example:443"));
  EXPECT_THAT(apply("[websocket]\norigins = [\"*\", \"http://localhost:*\"]\n"),
              testing::IsEmpty());
}

TEST_F(SettingsFile, SlowRulesAreTablesOrAList) {
  EXPECT_THAT(apply("[[slow]]\ngroups = \"ticker.*\"\npolicy = \"latest\"\nevery-ms = 100\n"
                    "[[slow]]\ngroups = \"*\"\npolicy = \"drop-oldest\"\n"),
              ElementsAre());
  const std::vector<SlowRule> rules = {
      {"ticker.*", SlowPolicy::Latest, std::chrono::milliseconds(100)},
      {"*", SlowPolicy::DropOldest}};
  EXPECT_EQ(settings.slow, rules);
  settings.slow.clear();
  EXPECT_THAT(apply("slow = [\"ticker.*=latest:100\", \"*=drop-oldest\"]\n"), ElementsAre());
  EXPECT_EQ(settings.slow, rules);
}

TEST_F(SettingsFile, EachMistakeOfASlowRuleIsReportedWithItsLine) {
  EXPECT_THAT(apply("[[slow]]\ngroups = \"a\"\npolicy = \"newest\"\n"
                    "[[slow]]\npolicy = \"latest\"\nevery_ms = 5\n"
                    "[[slow]]\ngroups = \"b\"\npolicy = \"drop-oldest\"\nevery-ms = 5\n"
                    "[[slow]]\ngroups = \"c\"\n"),
              testing::UnorderedElementsAre(
                  ":3: 'slow.policy' must be disconnect, drop-oldest, drop-newest or latest",
                  ":6: unknown setting 'slow.every_ms' (did you mean 'slow.every-ms'?)",
                  ":4: this [[slow]] has no pattern of groups: groups = \"ticker.*\"",
                  ":7: 'slow.every-ms' needs policy = \"latest\": 'b'",
                  ":11: this [[slow]] has no policy"));
  EXPECT_THAT(apply("slow = [\"a=often\"]\n"), ElementsAre(HasSubstr("'slow' must be [[slow]]")));
}

TEST_F(SettingsFile, RulesOfAccessAreTablesOrAList) {
  EXPECT_THAT(apply("[[rules]]\ngroups = \"chat.*\"\njoin = \"users\"\nenvelope = true\n"
                    "[[rules]]\ngroups = \"inbox.{user}[{]\"\nsend = \"nobody\"\n"),
              ElementsAre());
  const std::vector<AccessRule> rules = {{.groups = "chat.*", .join = Who::Users, .envelope = true},
                                         {.groups = "inbox.{user}[{]", .send = Who::Nobody}};
  EXPECT_EQ(settings.rules, rules);
  settings.rules.clear();
  EXPECT_THAT(apply("rules = [\"chat.*=join:users+envelope\", \"inbox.{user}[{]=send:nobody\"]\n"),
              ElementsAre());
  EXPECT_EQ(settings.rules, rules);
}

TEST_F(SettingsFile, EachMistakeOfARuleOfAccessIsReportedWithItsLine) {
  EXPECT_THAT(
      apply("[[rules]]\ngroups = \"a\"\njoin = \"everybody\"\n"
            "[[rules]]\nsend = \"users\"\nenvelop = true\n"
            "[[rules]]\ngroups = \"b\"\n"
            "[[rules]]\njoin = \"token\"\n"
            "[[rules]]\ngroups = \"c.{id}\"\njoin = \"token\"\nwho = 1\n"
            "[[rules]]\ngroups = \"c.{id}\"\njoin = \"token\"\n"
            "[[rules]]\ngroups = \"*\"\njoin = \"token\"\nenvelope = \"yes\"\n"
            "[[rules]]\ngroups = \"d\"\njoin = \"token\"\n"),
      testing::UnorderedElementsAre(
          ":3: 'rules.join' must be anyone, users, token or nobody",
          ":6: unknown setting 'rules.envelop' (did you mean 'rules.envelope'?)",
          ":7: the rule 'b' states nothing: join, send or envelope",
          ":9: this [[rules]] has no pattern of groups: groups = \"chat.*\"",
          ":14: unknown setting 'rules.who' ([[rules]] has groups, join, send, envelope)",
          ":15: the pattern 'c.{id}' has '{id}', and only {user} stands for something (a brace "
          "itself is [{])",
          ":21: 'rules.envelope' must be true or false",
          ":22: the rule 'd' has no effect, as the rule '*' before it matches first"));
  EXPECT_THAT(apply("rules = [\"a=often\"]\n"),
              ElementsAre(HasSubstr("'rules' must be [[rules]]")));
  EXPECT_THAT(apply("rules = [\"a=join:users\", \"a=send:users\"]\n"),
              ElementsAre(HasSubstr("the rule 'a' has no effect, as the rule 'a' before it")));
}

TEST_F(SettingsFile, AFileThatIsNotTomlIsReportedWithItsLine) {
  const auto complaints = apply("workers = 2\nlisten = websocket\n");
  ASSERT_EQ(complaints.size(), 1u);
  EXPECT_THAT(complaints[0], HasSubstr(":2: "));
}

// toml++ had undefined behaviour here; the test finds that only with UndefinedBehaviorSanitizer.
TEST_F(SettingsFile, ALetterBeyondAsciiIsNoWhiteSpace) {
  for (const char* text : {"workers = 2\nĨ]", "workers = 2\nname = 1Ĩ", "workers = 2\nĨ = 1"}) {
    EXPECT_THAT(apply(text), ElementsAre(AllOf(HasSubstr(":2: "), HasSubstr("Ĩ")))) << text;
  }
  EXPECT_THAT(apply("channel.listen = \"\"\"\\\n  Ĩ\"\"\""),
              ElementsAre(Not(HasSubstr("parsing"))));
}

TEST_F(SettingsFile, AMissingFileIsReported) {
  const auto complaints = applyFile("/nowhere/stormo.toml", settings);
  ASSERT_EQ(complaints.size(), 1u);
  EXPECT_THAT(complaints[0], HasSubstr("/nowhere/stormo.toml"));
}

TEST_F(SettingsFile, SeveralListenAddressesAreAList) {
  EXPECT_THAT(apply("listen = [\"websocket://[::]:80\", \"unix:///run/s\"]\nipv6only = true\n"),
              ElementsAre());
  EXPECT_THAT(settings.listen, ElementsAre("websocket://[::]:80", "unix:///run/s"));
  EXPECT_TRUE(settings.ipv6Only);
  EXPECT_THAT(apply("listen = []\n"), ElementsAre(HasSubstr("at least one address")));
}

}  // namespace
}  // namespace stormo::config
