// A position that another node of the cluster has given, and that is to come to this one's Channel.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "channel/client/client_link.h"
#include "channel/client/stormo_dialect_fixture.h"
#include "event/loop_impl.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class HistoryAheadTest : public StormoDialectTest {
 protected:
  HistoryAheadTest() {
    now_ = EventLoop::TimePoint{} + 1h;
    LoopImpl::of(loop).useClock([] { return now_; });
    link = std::make_unique<ClientLink>(dummy.url(), ChannelOptions{.pingInterval = 240h});
    link->connect();
    EXPECT_TRUE(turnUntil([&] { return dummy.accept(); }));
    dummy.link.send(encode({.kind = Kind::Welcome,
                            .version = kProtocolVersion,
                            .epoch = 1,
                            .offset = 5,
                            .frameBytesMax = 1000}));
    EXPECT_TRUE(turnUntil([&] { return link->isConnected(); }));
  }
  ~HistoryAheadTest() override { link.reset(); }

  void request(const char* group, std::uint64_t offset) {
    link->dialect().requestHistory(group, {1, offset}, [this, group](const HistoryReply& reply) {
      answers.push_back(std::string(group) + (reply.isWhole ? " whole" : " not whole"));
    });
  }
  /// The groups of the requests that have come.
  std::vector<std::string> requested(std::size_t count) {
    std::vector<std::string> groups;
    EXPECT_TRUE(turnUntil([&] {
      for (const std::string& payload : dummy.link.take()) {
        Packet packet;
        EXPECT_EQ(decode(payload, packet), Decode::Ok);
        if (packet.kind == Kind::HistoryRequest) groups.emplace_back(packet.channel);
      }
      return groups.size() >= count;
    }));
    return groups;
  }
  void reply(const char* group, bool isAhead) {
    dummy.link.send(encode({.kind = Kind::HistoryReply,
                            .ahead = isAhead,
                            .whole = !isAhead,
                            .space = Space::Groups,
                            .epoch = 1,
                            .offset = 5,
                            .channel = group}));
  }
  /// What was sent to the link is read.
  void read() {
    dummy.link.send(encode({.kind = Kind::Pong, .blocked = true}));
    EXPECT_TRUE(turnUntil([&] { return link->isBlocked(); }));
    dummy.link.send(encode({.kind = Kind::Pong}));
    EXPECT_TRUE(turnUntil([&] { return !link->isBlocked(); }));
  }
  void pass(EventLoop::Duration time) {
    now_ += time;
    settle();
  }

  static EventLoop::TimePoint now_;
  std::unique_ptr<ClientLink> link;
  std::vector<std::string> answers;
};

EventLoop::TimePoint HistoryAheadTest::now_{};

TEST_F(HistoryAheadTest, IsRequestedAgainAndNobodyWaitsForIt) {
  request("a", 9);
  request("b", 3);
  EXPECT_THAT(requested(2), ElementsAre("a", "b"));
  reply("a", true);
  reply("b", false);
  EXPECT_TRUE(turnUntil([&] { return !answers.empty(); }));
  EXPECT_THAT(answers, ElementsAre("b whole"));
  pass(100ms);
  EXPECT_THAT(requested(1), ElementsAre("a"));
  reply("a", false);
  EXPECT_TRUE(turnUntil([&] { return answers.size() == 2; }));
  EXPECT_THAT(answers, ElementsAre("b whole", "a whole"));
}

TEST_F(HistoryAheadTest, IsNoPositionOfAnyNodeIfItDoesNotComeInTime) {
  request("a", 9);
  EXPECT_THAT(requested(1), ElementsAre("a"));
  reply("a", true);
  read();
  EXPECT_THAT(answers, IsEmpty());
  pass(5s);
  EXPECT_THAT(requested(1), ElementsAre("a"));
  reply("a", true);
  EXPECT_TRUE(turnUntil([&] { return !answers.empty(); }));
  EXPECT_THAT(answers, ElementsAre("a not whole"));
}

TEST_F(HistoryAheadTest, IsWaitedForWhileTheChannelCannotRead) {
  request("a", 9);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(requested(1), ElementsAre("a"));
    dummy.link.send(encode({.kind = Kind::Pong, .blocked = true}));
    EXPECT_TRUE(turnUntil([&] { return link->isBlocked(); }));
    reply("a", true);
    settle();
    pass(1h);
  }
  EXPECT_THAT(answers, IsEmpty());
}

}  // namespace
}  // namespace stormo::channel
