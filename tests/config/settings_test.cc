#include "config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <variant>

namespace stormo::config {
namespace {

const SettingSpec& specOf(std::string_view flag) {
  const auto specs = settingSpecs();
  const auto spec = std::find_if(specs.begin(), specs.end(),
                                 [&](const SettingSpec& each) { return each.flag == flag; });
  if (spec == specs.end()) throw std::logic_error("no such flag");
  return *spec;
}

std::string complaintOf(std::string_view flag, const std::string& word) {
  Settings settings;
  try {
    applyFlag(specOf(flag), {word}, settings);
  } catch (const std::invalid_argument& wrong) {
    return wrong.what();
  }
  return "";
}

TEST(Settings, EachHasItsOwnKeyAndFlag) {
  std::set<std::string> keys;
  std::set<std::string> flags;
  for (const SettingSpec& spec : settingSpecs()) {
    EXPECT_TRUE(keys.insert(spec.key).second) << spec.key;
    EXPECT_TRUE(flags.insert(spec.flag).second) << spec.flag;
    EXPECT_GT(std::string(spec.help).size(), 10u) << spec.flag;
  }
}

TEST(Settings, TheDefaultsAreValid) {
  const Settings settings;
  for (const SettingSpec& spec : settingSpecs()) {
    const bool mayBeEmpty = std::string(spec.key).starts_with("channel.");
    if (spec.complaint == nullptr || mayBeEmpty) continue;
    EXPECT_EQ(spec.complaint(settings), "") << spec.key;
  }
  EXPECT_EQ(contradiction(settings), "");
}

TEST(Settings, SocketModesAreOctal) {
  EXPECT_EQ(socketModeIn("0660"), 0660U);
  EXPECT_EQ(socketModeIn("777"), 0777U);
  for (const char* word : {"", "0", "0x1ff", "rw", "0668", "01777", "0660 "}) {
    EXPECT_EQ(socketModeIn(word), std::nullopt) << word;
  }
  EXPECT_EQ(complaintOf("--socket-mode", "rw-rw----"),
            "--socket-mode: must be octal permissions: 0660");
}

TEST(Settings, ProxiesAreAddressesOrUnix) {
  EXPECT_EQ(complaintOf("--trusted-proxies", "10.0.0.0/8"), "");
  EXPECT_EQ(complaintOf("--trusted-proxies", "unix"), "");
  EXPECT_THAT(complaintOf("--trusted-proxies", "proxy.example"),
              testing::HasSubstr("'proxy.example' is not an address"));
  EXPECT_EQ(complaintOf("--proxy-header", "x-real-ip"), "");
  EXPECT_THAT(complaintOf("--proxy-header", "Via"), testing::HasSubstr("must be X-Forwarded-For"));
}

TEST(Settings, LimitsHaveRangesAndNames) {
  EXPECT_EQ(complaintOf("--connections", "0"), "");
  EXPECT_EQ(complaintOf("--connections", "20000000"), "--connections: must be at most 16000000");
  EXPECT_EQ(complaintOf("--messages-per-second", "ten"),
            "--messages-per-second: 'ten' is not a number");
  EXPECT_EQ(complaintOf("--over-rate", "drop"), "--over-rate: must be wait or close");
  EXPECT_EQ(complaintOf("--limits-dry-run", "output-bytes"), "");
  EXPECT_THAT(
      complaintOf("--limits-dry-run", "message-bytes"),
      testing::HasSubstr("'message-bytes' is none of connections, connections-per-address"));
  Settings settings;
  settings.outputBytesMax = settings.sendBufferBytesMax - 1;
  EXPECT_THAT(contradiction(settings), testing::HasSubstr("--output-bytes"));
  settings.outputBytesMax = 0;
  EXPECT_EQ(contradiction(settings), "");
}

TEST(Settings, TheProxyProtocolIsForAddressesOfListenAndTrustedProxies) {
  Settings settings;
  settings.listen = {"websocket://127.0.0.1:1", "unix:///run/x"};
  settings.proxyProtocol = {"unix:///run/y"};
  EXPECT_THAT(contradiction(settings), testing::HasSubstr("is none of the addresses of --listen"));
  settings.proxyProtocol = {"unix:///run/x"};
  settings.trustedProxies = {"127.0.0.1"};
  EXPECT_THAT(contradiction(settings), testing::HasSubstr("--trusted-proxies has no unix"));
  settings.trustedProxies = {"unix"};
  EXPECT_EQ(contradiction(settings), "");
  settings.proxyProtocol = {"websocket://127.0.0.1:1"};
  EXPECT_THAT(contradiction(settings), testing::HasSubstr("--trusted-proxies has no address"));
}

TEST(Settings, FlagsOfEveryTypeAreApplied) {
  Settings settings;
  applyFlag(specOf("--listen"), {"websocket://[::1]:99", "unix:///run/s"}, settings);
  applyFlag(specOf("--ipv6only"), {"true"}, settings);
  applyFlag(specOf("--workers"), {"7"}, settings);
  applyFlag(specOf("--page"), {"off"}, settings);
  applyFlag(specOf("--deflate"), {"on"}, settings);
  applyFlag(specOf("--ping-interval"), {"0"}, settings);
  applyFlag(specOf("--origin"), {"https://a.example", "https://b.example"}, settings);
  EXPECT_THAT(settings.listen, testing::ElementsAre("websocket://[::1]:99", "unix:///run/s"));
  EXPECT_TRUE(settings.ipv6Only);
  EXPECT_EQ(settings.workers, 7u);
  EXPECT_FALSE(settings.page);
  EXPECT_TRUE(settings.deflate);
  EXPECT_EQ(settings.pingInterval, std::chrono::seconds(0));
  EXPECT_EQ(settings.origins, (std::vector<std::string>{"https://a.example", "https://b.example"}));
}

TEST(Settings, AWrongValueIsReportedWithItsFlag) {
  EXPECT_EQ(complaintOf("--workers", "many"), "--workers: 'many' is not a number");
  EXPECT_EQ(complaintOf("--workers", "2x"), "--workers: '2x' is not a number");
  EXPECT_EQ(complaintOf("--workers", "-1"), "--workers: '-1' is not a number");
  EXPECT_EQ(complaintOf("--workers", "1025"), "--workers: must be at most 1024");
  EXPECT_EQ(complaintOf("--page", "maybe"), "--page: 'maybe' is neither true nor false");
  EXPECT_EQ(complaintOf("--message-bytes", "0"), "--message-bytes: must be at least 1");
  EXPECT_EQ(complaintOf("--pong-timeout", "0"), "--pong-timeout: must be at least 1 second");
  EXPECT_EQ(complaintOf("--listen", "tcp://127.0.0.1:1"),
            "--listen: 'tcp://127.0.0.1:1' has none of the schemes websocket://, unix://");
  EXPECT_NE(complaintOf("--listen", "websocket://0.0.0.0").find("no port"), std::string::npos);
  EXPECT_NE(complaintOf("--channel", "http://x:1").find("stormo://"), std::string::npos);
}

TEST(Settings, EveryNumberHasAnUpperBound) {
  for (const SettingSpec& spec : settingSpecs()) {
    if (!std::holds_alternative<std::size_t Settings::*>(spec.member) &&
        !std::holds_alternative<std::chrono::seconds Settings::*>(spec.member)) {
      continue;
    }
    EXPECT_NE(complaintOf(spec.flag, "1000000000000"), "") << spec.flag;
  }
  EXPECT_EQ(complaintOf("--message-bytes", "1073741825"),
            "--message-bytes: must be at most 1073741824");
  EXPECT_EQ(complaintOf("--ping-interval", "86401"),
            "--ping-interval: must be at most 86400 seconds");
}

TEST(Settings, TheLogHasKnownLevelsAndFormats) {
  EXPECT_EQ(complaintOf("--log-level", "debug"), "");
  EXPECT_EQ(complaintOf("--log-level", "loud"),
            "--log-level: must be error, warning, info or debug");
  EXPECT_EQ(complaintOf("--log-format", "xml"), "--log-format: must be text or json");
}

TEST(Settings, ChannelAndChannelListenContradictEachOther) {
  Settings settings;
  settings.channel = "stormo://127.0.0.1:2206";
  EXPECT_EQ(contradiction(settings), "");
  settings.channelListen = "frame://127.0.0.1:2206";
  EXPECT_NE(contradiction(settings).find("set only one of them"), std::string::npos);
}

TEST(Settings, HistoryNeedsTheServersOwnChannelAndFitsIntoTheSendBuffer) {
  Settings settings;
  applyFlag(specOf("--history-groups"), {"chat.*", "news"}, settings);
  EXPECT_EQ(settings.historyGroups, (std::vector<std::string>{"chat.*", "news"}));
  EXPECT_EQ(contradiction(settings), "");
  settings.historyBytes = settings.sendBufferBytesMax + 1;
  EXPECT_NE(contradiction(settings).find("--history-bytes"), std::string::npos);
  settings.historyBytes = 1000;
  settings.channel = "stormo://127.0.0.1:2206";
  EXPECT_NE(contradiction(settings).find("set it there"), std::string::npos);
  EXPECT_EQ(complaintOf("--history-bytes", "1073741825"),
            "--history-bytes: must be at least 1, and at most 1 GiB");
}

TEST(Settings, SlowRulesAreAPatternAndAPolicy) {
  Settings settings;
  applyFlag(
      specOf("--slow"),
      {"ticker.*=latest:100", "a=b=drop-oldest", "log.*=drop-newest", "x=latest", "*=disconnect"},
      settings);
  EXPECT_EQ(settings.slow,
            (std::vector<SlowRule>{{"ticker.*", SlowPolicy::Latest, std::chrono::milliseconds(100)},
                                   {"a=b", SlowPolicy::DropOldest},
                                   {"log.*", SlowPolicy::DropNewest},
                                   {"x", SlowPolicy::Latest},
                                   {"*", SlowPolicy::Disconnect}}));
  for (const char* word : {"", "ticker.*", "=latest", "a=", "a=newest", "a=latest:", "a=latest:0",
                           "a=latest:1.5", "a=latest:3600001", "a=drop-oldest:100"}) {
    EXPECT_THAT(complaintOf("--slow", word),
                testing::StartsWith("--slow: '" + std::string(word) + "' is not PATTERN=POLICY"))
        << word;
  }
  EXPECT_THROW(applyFlag(specOf("--slow"), std::vector<std::string>(33, "a=latest"), settings),
               std::invalid_argument);
}

TEST(Settings, RulesOfAccessAreAPatternAndItsParts) {
  Settings settings;
  applyFlag(specOf("--rule"),
            {"lobby=join:anyone+send:token+envelope", "a=b=send:nobody", "x=envelope+join:users"},
            settings);
  EXPECT_EQ(settings.rules,
            (std::vector<AccessRule>{
                {.groups = "lobby", .join = Who::Anyone, .send = Who::Token, .envelope = true},
                {.groups = "a=b", .send = Who::Nobody},
                {.groups = "x", .join = Who::Users, .envelope = true}}));
  for (const char* word :
       {"", "chat", "=join:users", "a=join", "a=join:", "a=join:all", "a=read:users",
        "a=+join:users", "a=envelope:true", "a=join:users,send:users"}) {
    EXPECT_THAT(complaintOf("--rule", word),
                testing::StartsWith("--rule: '" + std::string(word) + "' is not PATTERN=join:WHO"))
        << word;
  }
  EXPECT_EQ(complaintOf("--rule", "a="),
            "--rule: the rule 'a' states nothing: join, send or envelope");
}

TEST(Settings, MessageBytesFitIntoIncompleteBytes) {
  Settings settings;
  settings.messageBytesMax = settings.incompleteBytesMax;
  EXPECT_EQ(contradiction(settings), "");
  settings.messageBytesMax += 1;
  EXPECT_NE(contradiction(settings).find("--incomplete-bytes"), std::string::npos);
  EXPECT_EQ(complaintOf("--incomplete-bytes", "0"), "--incomplete-bytes: must be at least 1");
  applyFlag(specOf("--message-timeout"), {"0"}, settings);
  EXPECT_EQ(settings.messageTimeout, std::chrono::seconds(0));
}

TEST(Settings, AChannelAloneHasTheSettingsOfTheChannel) {
  std::set<std::string_view> flags;
  for (const SettingSpec& spec : settingSpecs()) {
    if (spec.isOfChannel()) flags.insert(spec.flag);
  }
  EXPECT_EQ(flags, (std::set<std::string_view>{"--channel-stall-seconds",
                                               "--channel-replay-bytes",
                                               "--channel-replay-seconds",
                                               "--channel-log-dir",
                                               "--channel-log-sync",
                                               "--channel-log-interval-ms",
                                               "--channel-log-segment-bytes",
                                               "--channel-log-total-bytes",
                                               "--history-groups",
                                               "--history-messages",
                                               "--history-bytes",
                                               "--history-seconds",
                                               "--history-total-bytes",
                                               "--message-bytes",
                                               "--channel-workerman-peers",
                                               "--tls-cert",
                                               "--tls-key",
                                               "--tls-client-ca",
                                               "--cluster",
                                               "--node",
                                               "--node-gone-seconds",
                                               "--nats-stream",
                                               "--nats-replicas",
                                               "--nats-storage",
                                               "--nats-max-bytes",
                                               "--nats-user",
                                               "--nats-password-file",
                                               "--nats-token-file",
                                               "--nats-nkey-file",
                                               "--nats-credentials-file",
                                               "--nats-ca-file",
                                               "--nats-cert-file",
                                               "--nats-key-file"}));
}

}  // namespace
}  // namespace stormo::config
