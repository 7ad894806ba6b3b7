// Groups that are sent at most one message within an interval.
#include "group/group_fixture.h"

namespace stormo {
namespace {

using net::Connected;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

class GroupsConflationTest : public GroupsTest {
 protected:
  GroupsConflationTest() {
    LoopImpl::of(loop).useClock([] { return now; });
    groups.setSlowRules({{"*", SlowPolicy::Latest, 100ms}},
                        [](std::string_view group, std::uint64_t count) {
                          return std::string(group) + " missed " + std::to_string(count);
                        });
  }
  void advance(std::chrono::milliseconds time) {
    now += time;
    settle();
  }
  static std::vector<std::string> linesOf(Connected& of) {
    std::vector<std::string> lines;
    std::string line;
    for (const char letter : of.peer.take()) {
      if (letter != '\n') {
        line += letter;
      } else {
        lines.push_back(std::exchange(line, {}));
      }
    }
    return lines;
  }

  static inline TimePoint now{1h};
};

TEST_F(GroupsConflationTest, TheFirstMessageIsSentAtOnceAndThenTheNewestOfEachInterval) {
  Connected one = member({"a", "b"});
  for (const char* text : {"1", "2", "3", "4"}) groups.send("a", text);
  groups.send("b", "5");
  settle();
  EXPECT_THAT(linesOf(one), ElementsAre("1", "5"));
  advance(99ms);
  EXPECT_THAT(linesOf(one), IsEmpty());
  advance(1ms);
  EXPECT_THAT(linesOf(one), ElementsAre("a missed 2", "4"));
  groups.send("a", "6");
  groups.send("b", "7");
  settle();
  EXPECT_THAT(linesOf(one), ElementsAre("7"));
  advance(100ms);
  EXPECT_THAT(linesOf(one), ElementsAre("6"));
  advance(1h);
  groups.send("a", "8");
  settle();
  EXPECT_THAT(linesOf(one), ElementsAre("8"));
  EXPECT_EQ(counters().slowRules[0].conflated.get(), 2u);
  EXPECT_EQ(counters().slowRules[0].dropped.get(), 0u);
}

TEST_F(GroupsConflationTest, OneThatJoinsGetsNothingOfBefore) {
  Connected one = member({"a"});
  groups.send("a", "1");
  groups.send("a", "2");
  Connected two = member({"a"});
  advance(100ms);
  EXPECT_THAT(linesOf(one), ElementsAre("1", "2"));
  EXPECT_THAT(linesOf(two), IsEmpty());
  groups.send("a", "3");
  groups.send("a", "4");
  Connected three = member({"a"});
  Connected four = member({"a"});
  groups.leave(at(four), "a");
  groups.send("a", "5");
  groups.join(at(four), "a");
  groups.send("a", "6");
  advance(100ms);
  EXPECT_THAT(linesOf(two), ElementsAre("a missed 3", "6"));
  EXPECT_THAT(linesOf(three), ElementsAre("a missed 1", "6"));
  EXPECT_THAT(linesOf(four), ElementsAre("6"));
}

TEST_F(GroupsConflationTest, OneThatIsLeftOutDoesNotGetTheMessageLater) {
  Connected one = member({"a"});
  Connected two = member({"a"});
  groups.send("a", "1");
  EXPECT_EQ(groups.sendExcept("a", "2", at(one)), 1u);
  advance(100ms);
  EXPECT_THAT(linesOf(one), ElementsAre("1"));
  EXPECT_THAT(linesOf(two), ElementsAre("1", "2"));
}

TEST_F(GroupsConflationTest, SeveralThatAreLeftOutDoNotGetTheMessageLater) {
  Connected one = member({"a"});
  Connected two = member({"a"});
  Connected three = member({"a"});
  groups.send("a", "1");
  Connection* const except[] = {&at(one), &at(three)};
  EXPECT_EQ(groups.sendExcept("a", "2", except), 1u);
  advance(100ms);
  EXPECT_THAT(linesOf(one), ElementsAre("1"));
  EXPECT_THAT(linesOf(two), ElementsAre("1", "2"));
  EXPECT_THAT(linesOf(three), ElementsAre("1"));
}

TEST_F(GroupsConflationTest, AGroupWithoutMembersForgetsWhatWaits) {
  Connected one = member({"a"});
  groups.send("a", "1");
  groups.send("a", "2");
  groups.leave(at(one), "a");
  groups.join(at(one), "a");
  advance(100ms);
  EXPECT_THAT(linesOf(one), ElementsAre("1"));
  groups.send("a", "3");
  settle();
  EXPECT_THAT(linesOf(one), ElementsAre("3"));
}

TEST_F(GroupsConflationTest, GroupsMayEndWhileAMessageWaits) {
  auto others = std::make_unique<Groups>();
  others->setSlowRules({{"*", SlowPolicy::Latest, 10ms}});
  Connected one = member({});
  others->join(at(one), "a");
  others->send("a", "1");
  others->send("a", "2");
  others.reset();
  advance(100ms);
  EXPECT_THAT(linesOf(one), ElementsAre("1"));
}

}  // namespace
}  // namespace stormo
