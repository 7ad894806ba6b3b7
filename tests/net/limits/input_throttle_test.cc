#include "net/limits/input_throttle.h"

#include "net/net_fixture.h"
#include "support/websocket_client.h"

namespace stormo::net {
namespace {

using namespace std::chrono_literals;
using test::WebSocketClient;
using testing::ElementsAre;
using testing::IsEmpty;

/// Clients of the text protocol, on a simulated clock.
class InputThrottleTest : public NetTest {
 protected:
  InputThrottleTest() {
    LoopImpl::of(loop).useClock([] { return simulatedNow; });
    settle();
  }
  void limit(const InputRates& with) {
    rates = with;
    endpoint.inputRates = &rates;
  }
  void pass(std::chrono::milliseconds time) {
    simulatedNow += time;
    settle();
  }
  static std::string lines(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "x\n";
    return text;
  }
  std::size_t delivered() { return takeEvents().size(); }
  LimitCounters& figures() { return counters().limits; }

  static inline TimePoint simulatedNow{std::chrono::hours(1)};
  InputRates rates;
};

TEST_F(InputThrottleTest, MessagesAboveTheRateWaitAndNoneIsLost) {
  limit({.messagesPerSecond = {.max = 10}});
  Connected client = acceptQuietly();
  client.peer.send(lines(25));
  settle();
  EXPECT_EQ(delivered(), 10u);
  pass(500ms);
  EXPECT_EQ(delivered(), 5u);
  pass(120ms);  // a hold ends up to a tick of the wheel late
  EXPECT_EQ(delivered(), 1u);
  pass(1s);
  EXPECT_EQ(delivered(), 9u);
  EXPECT_GE(figures().messagesPerSecond.refused.get(), 3u);
  EXPECT_EQ(figures().messagesPerSecond.dryRun.get(), 0u);
}

TEST_F(InputThrottleTest, ASteadyClientDoesNotWaitWhateverOthersSend) {
  limit({.messagesPerSecond = {.max = 10}});
  Connected steady = acceptQuietly();
  Connected other = acceptQuietly();
  other.peer.send(lines(1000));
  settle();
  takeEvents();
  for (int i = 0; i < 30; ++i) {
    pass(100ms);
    takeEvents();
    steady.peer.send("steady\n");
    settle();
    EXPECT_THAT(events, testing::Contains("steady")) << i;
  }
}

TEST_F(InputThrottleTest, AClientThatWaitsIsNotRead) {
  limit({.messagesPerSecond = {.max = 1}});
  Connected client = acceptQuietly(test::tcpPair());
  const std::string message = std::string(1000, 'x') + '\n';
  std::string many;
  for (int i = 0; i < 64; ++i) many += message;
  std::size_t accepted = 0;
  for (int turns = 0; turns < 1000; ++turns) {
    accepted += client.peer.send(many);
    settle();
  }
  EXPECT_EQ(delivered(), 1u);
  const ConnectionImpl& connection = *table.at(Handle::unpack(client.id));
  EXPECT_LT(connection.bytesRead(), 64u << 10);
  EXPECT_GT(accepted, connection.bytesRead()) << "the rest fills the kernel's buffers";
  const auto turns = counters().turns.get();
  loop.turn(0ms);
  EXPECT_EQ(counters().turns.get(), turns + 1);
}

TEST_F(InputThrottleTest, BytesAboveTheRateWaitAndNoneIsLost) {
  limit({.bytesPerSecond = {.max = 5000}});
  Connected client = acceptQuietly();
  const std::string message = std::string(999, 'x') + '\n';
  std::string many;
  for (int i = 0; i < 20; ++i) many += message;
  client.peer.send(many);
  settle();
  EXPECT_EQ(delivered(), 5u);
  for (int i = 0; i < 40; ++i) pass(100ms);
  EXPECT_EQ(delivered(), 15u);
  EXPECT_GE(figures().bytesPerSecond.refused.get(), 1u);
}

TEST_F(InputThrottleTest, TheBucketThatIsEmptyLongerDecides) {
  limit({.messagesPerSecond = {.max = 2}, .bytesPerSecond = {.max = 4096}});
  Connected client = acceptQuietly();
  client.peer.send(std::string(4095, 'x') + "\n" + lines(2));
  settle();
  takeEvents();
  pass(5s);
  EXPECT_EQ(delivered(), 2u);
  pass(2s);
  client.peer.send(std::string(4095, 'x') + "\n" + std::string(4095, 'x') + "\n");
  settle();
  EXPECT_EQ(delivered(), 1u);
  pass(500ms);
  EXPECT_EQ(delivered(), 1u);
}

TEST_F(InputThrottleTest, TheConnectionsOfAUserShareItsRate) {
  limit({.messagesPerSecondPerUser = {.max = 10}});
  Connected one = acceptQuietly();
  Connected two = acceptQuietly();
  Connected other = acceptQuietly();
  UserShare ada;
  UserShare bob;
  table.find(one.id)->in.user = table.find(two.id)->in.user = &ada;
  table.find(other.id)->in.user = &bob;
  one.peer.send(lines(8));
  settle();
  EXPECT_EQ(delivered(), 8u);
  two.peer.send(lines(8));
  other.peer.send(lines(10));
  settle();
  EXPECT_EQ(delivered(), 2u + 10u);
  EXPECT_GE(figures().messagesPerSecondPerUser.refused.get(), 1u);
  EXPECT_EQ(figures().messagesPerSecond.refused.get(), 0u);
  pass(1s);
  EXPECT_EQ(delivered(), 6u);
}

TEST_F(InputThrottleTest, TheBytesOfAUserAreSharedAsWell) {
  limit({.bytesPerSecondPerUser = {.max = 4096}, .overRate = OverRate::Close});
  Connected one = acceptQuietly();
  Connected two = acceptQuietly();
  UserShare ada;
  table.find(one.id)->in.user = table.find(two.id)->in.user = &ada;
  one.peer.send(std::string(3000, 'x') + "\n");
  settle();
  EXPECT_TRUE(table.find(one.id)->isUsable());
  two.peer.send(std::string(3000, 'x') + "\n");
  settle();
  EXPECT_EQ(figures().bytesPerSecondPerUser.refused.get(), 1u);
}

TEST_F(InputThrottleTest, ADryRunCountsAndDelaysNothing) {
  limit({.messagesPerSecond = {.max = 10, .dryRun = true},
         .bytesPerSecond = {.max = 1, .dryRun = true},
         .overRate = OverRate::Close});
  Connected client = acceptQuietly();
  client.peer.send(lines(25));
  settle();
  client.peer.send(lines(1));
  settle();
  EXPECT_EQ(delivered(), 26u);
  EXPECT_EQ(figures().messagesPerSecond.dryRun.get(), 16u);
  EXPECT_EQ(figures().messagesPerSecond.refused.get(), 0u);
  EXPECT_EQ(figures().bytesPerSecond.dryRun.get(), 1u);
}

TEST_F(InputThrottleTest, WhereConfiguredTheClientIsClosedWith1008) {
  use(std::make_unique<WebSocketCodec>(WebSocketOptions{}));
  limit({.messagesPerSecond = {.max = 2}, .overRate = OverRate::Close});
  WebSocketClient client(acceptQuietly().peer.valid() ? accept().peer : test::RawPeer());
  client.sendHandshake();
  ASSERT_TRUE(turnUntil([&] { return client.isOpen(); }));
  events.clear();
  client.raw().send(WebSocketClient::text("a") + WebSocketClient::text("b") +
                    WebSocketClient::text("c") + WebSocketClient::text("d"));
  settle();
  EXPECT_THAT(takeEvents(), ElementsAre("a", "b", "close 1008"));
  const auto frames = client.all();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(WebSocketClient::closeCode(frames[0]), CloseCode::PolicyViolation);
  EXPECT_EQ(WebSocketClient::closeReason(frames[0]), "too many messages per second");
  EXPECT_EQ(figures().messagesPerSecond.refused.get(), 1u);
}

TEST_F(InputThrottleTest, AClientThatIsPausedByTheProgramToo) {
  limit({.messagesPerSecond = {.max = 1}});
  Connected client = acceptQuietly();
  client.peer.send(lines(3));
  settle();
  EXPECT_EQ(delivered(), 1u);
  at(client).pauseRecv();
  pass(5s);
  EXPECT_THAT(events, IsEmpty());
  at(client).resumeRecv();
  settle();
  EXPECT_EQ(delivered(), 1u);
  at(client).pauseRecv();
  at(client).resumeRecv();
  settle();
  EXPECT_THAT(events, IsEmpty()) << "resumeRecv() does not end the wait";
}

TEST_F(InputThrottleTest, AClientThatIsClosedWhileItWaits) {
  limit({.messagesPerSecond = {.max = 1}});
  for (const bool destroys : {false, true}) {
    Connected client = acceptQuietly();
    client.peer.send(lines(3));
    settle();
    takeEvents();
    if (destroys) {
      at(client).destroy();
    } else {
      at(client).close();
    }
    settle();
    EXPECT_EQ(delivered(), 1u) << "onClose";
    ASSERT_TRUE(turnUntil([&] { return client.peer.ended(); }));
    client.peer.close();
    ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
    pass(5s);
    EXPECT_THAT(events, IsEmpty());
  }
}

}  // namespace
}  // namespace stormo::net
