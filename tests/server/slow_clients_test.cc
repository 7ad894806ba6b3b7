// Clients that read too slowly, in groups with a rule for them.
#include <algorithm>

#include "server/v1_fixture.h"

namespace stormo::server {
namespace {

using testing::ElementsAre;
using namespace std::chrono_literals;

class SlowClientsTest : public V1ClientsTest {
 protected:
  SlowClientsTest() {
    settings.sendBufferBytesMax = 400'000;
    settings.options.slowRules = {{"*latest", SlowPolicy::Latest},
                                  {"*oldest", SlowPolicy::DropOldest},
                                  {"*newest", SlowPolicy::DropNewest},
                                  {"*rate", SlowPolicy::Latest, 20ms}};
  }

  /// The number of messages that were dropped by the rule with that pattern.
  std::uint64_t dropped(std::string_view pattern) {
    for (const SlowRuleCounters& each : LoopImpl::of(loop).counters().slowRules) {
      if (each.groups == pattern) return each.dropped.get();
    }
    return 0;
  }
  /// Sends numbered messages to the group, which the slow client does not read, until some were
  /// dropped for it. Returns how many.
  int sendUntilDropped(Client& publisher, const std::string& group, std::string_view pattern) {
    int sent = 0;
    while (dropped(pattern) < 20) {
      send(publisher, group, std::to_string(++sent) + std::string(30'000, '.'));
      if (sent > 10'000) throw std::logic_error("nothing is dropped");
    }
    return sent;
  }
  /// Reads until the message with that number. Returns what was received, without the dots, and
  /// with "-N" for N missed messages.
  std::vector<std::string> readUntil(Client& slow, int last) {
    std::vector<std::string> words;
    EXPECT_TRUE(turnUntil([&] {
      for (const std::string& text : std::exchange(slow.all(), {})) {
        const auto value = text.starts_with('{') ? parseJson(text) : std::nullopt;
        const bool isMissed = value && (*value)["event"] == "missed";
        std::string word = isMissed ? "-" + std::to_string((*value)["count"].asInt())
                                    : (value ? brief({text}).front() : text);
        words.push_back(word.substr(0, word.find('.')));
      }
      return !words.empty() && words.back() == std::to_string(last);
    }));
    return words;
  }
  /// What is wrong with the numbers. Empty: nothing is.
  static std::string gapIn(const std::vector<std::string>& words) {
    int next = 1;
    for (const std::string& word : words) {
      if (word.starts_with('-')) {
        next -= std::stoi(word);
      } else if (word != std::to_string(next++)) {
        return "got " + word + " in place of " + std::to_string(next - 1);
      }
    }
    return {};
  }
};

TEST_F(SlowClientsTest, AClientOfV1IsSentHowManyMessagesItMissedAndWhere) {
  start();
  Client publisher = v1(0);
  Client slow = v1(1);
  join(slow, "kept.latest");
  const int sent = sendUntilDropped(publisher, "kept.latest", "*latest");
  const auto words = readUntil(slow, sent);
  EXPECT_EQ(gapIn(words), "");
  EXPECT_GT(std::ranges::count_if(words, [](auto& word) { return word.starts_with('-'); }), 0);
  EXPECT_FALSE(slow.socket.ended());
}

TEST_F(SlowClientsTest, AClientOfTheGroupCommandsMissesMessagesWithoutANotice) {
  start();
  Client publisher = v1(0);
  Client slow = connect(1);
  slow.send(R"({"cmd":"add_group","group_id":"x.oldest"})");
  settle();
  const int sent = sendUntilDropped(publisher, "x.oldest", "*oldest");
  const auto words = readUntil(slow, sent);
  EXPECT_LT(words.size(), static_cast<std::size_t>(sent));
  EXPECT_TRUE(std::ranges::is_sorted(words, {}, [](auto& word) { return std::stoi(word); }));
}

TEST_F(SlowClientsTest, MissedMessagesAreInTheHistoryForAClientThatJoinsWithAnEarlierPosition) {
  start();
  Client publisher = v1(0);
  Client slow = v1(1);
  join(slow, "fill.oldest");
  const std::string position = join(slow, "kept.latest");
  join(slow, "gone.latest");
  sendUntilDropped(publisher, "fill.oldest", "*oldest");
  for (int i = 1; i <= 5; ++i) {
    send(publisher, "kept.latest", std::to_string(i));
    send(publisher, "gone.latest", std::to_string(i));
  }
  std::vector<std::string> received;
  ASSERT_TRUE(turnUntil([&] {
    for (std::string& text : std::exchange(slow.all(), {})) {
      if (text.find("fill.") == text.npos) received.push_back(std::move(text));
    }
    return received.size() == 4;
  }));
  EXPECT_EQ(received[0], R"({"event":"missed","group":"kept.latest","count":4})");
  EXPECT_EQ(received[1], R"({"event":"missed","group":"gone.latest","count":4})");
  EXPECT_THAT(brief({received[2], received[3]}), ElementsAre("5", "5"));

  Client again = v1(0);
  again.send(R"({"id":1,"cmd":"join","group":"kept.latest",)" + position + "}");
  EXPECT_THAT(brief(await(again, 6)), ElementsAre("1", "2", "3", "4", "5", "recovered"));
  for (int i = 0; i < 1000; ++i) send(publisher, "busy", "-");  // beyond the replay window's search
  again.send(R"({"id":2,"cmd":"join","group":"gone.latest",)" + position + "}");
  EXPECT_THAT(brief(await(again, 1)), ElementsAre("not recovered"));
}

TEST_F(SlowClientsTest, WithARateClientsAreSentTheNewestMessageAndHowManyItReplaced) {
  start();
  Client publisher = v1(0);
  Client one = v1(1);
  Client plain = connect(1);
  join(one, "x.rate");
  plain.send(R"({"cmd":"add_group","group_id":"x.rate"})");
  settle();
  for (int i = 1; i <= 200; ++i) send(publisher, "x.rate", std::to_string(i));
  const auto words = readUntil(one, 200);
  EXPECT_EQ(gapIn(words), "");
  const auto plainWords = readUntil(plain, 200);
  EXPECT_TRUE(std::ranges::is_sorted(plainWords, {}, [](auto& word) { return std::stoi(word); }));
  EXPECT_EQ(dropped("*rate"), 0u);
}

TEST_F(SlowClientsTest, OtherGroupsAreAsBefore) {
  start();
  Client publisher = v1(0);
  Client slow = v1(1);
  join(slow, "x");
  ASSERT_TRUE(turnUntil([&] {
    send(publisher, "x", std::string(30'000, '.'));
    return LoopImpl::of(loop).counters().slowClosed.get() == 1;
  }));
  std::vector<test::WebSocketClient::Frame> frames;
  ASSERT_TRUE(turnUntil([&] {
    for (auto& frame : slow.socket.all()) frames.push_back(std::move(frame));
    return !frames.empty() && frames.back().opcode == websocket::Opcode::Close;
  }));
  EXPECT_EQ(test::WebSocketClient::closeCode(frames.back()), CloseCode::TryAgainLater);
}

}  // namespace
}  // namespace stormo::server
