// Handlers that throw, and peers that fail while something is sent to them.
#include <stdexcept>

#include "event/loop_impl.h"
#include "net/net_fixture.h"

namespace stormo::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ConnectionErrorsTest : public NetTest {
 protected:
  static void throwNow() { throw std::runtime_error("oops"); }
  /// Expects that other connections still work.
  void expectTheLoopLives() {
    recordEvents();
    Connected other = acceptQuietly();
    other.peer.send("alive\n");
    ASSERT_TRUE(turnUntil([&] { return !events.empty(); }));
    EXPECT_EQ(events.back(), "alive");
  }
};

TEST_F(ConnectionErrorsTest, OnMessageThatThrowsClosesItsConnectionWith1011) {
  Connected one = acceptQuietly();
  endpoint.handlers.onMessage = [](Connection& connection, Message) {
    (void)connection.send("sent before");
    throwNow();
  };
  one.peer.send("a\nb\n");
  settle();
  EXPECT_EQ(one.peer.take(), "sent before\n");
  EXPECT_TRUE(one.peer.ended());
  EXPECT_THAT(events, ElementsAre("close 1011"));
  EXPECT_EQ(counters().handlerErrors.get(), 1u);
  expectTheLoopLives();
}

TEST_F(ConnectionErrorsTest, AThrownValueThatIsNoExceptionIsHandled) {
  Connected one = acceptQuietly();
  endpoint.handlers.onMessage = [](Connection&, Message) { throw 7; };
  one.peer.send("a\n");
  settle();
  EXPECT_THAT(events, ElementsAre("close 1011"));
  expectTheLoopLives();
}

TEST_F(ConnectionErrorsTest, OnConnectThatThrowsCloses) {
  endpoint.handlers.onConnect = [](Connection&) { throwNow(); };
  Connected one = accept();
  settle();
  EXPECT_TRUE(one.peer.ended());
  EXPECT_THAT(events, ElementsAre("close 1011"));
  expectTheLoopLives();
}

TEST_F(ConnectionErrorsTest, OnCloseThatThrowsIsCalledOnce) {
  endpoint.handlers.onClose = [&](Connection&) {
    events.push_back("close");
    throwNow();
  };
  Connected one = acceptQuietly();
  one.peer.close();
  settle();
  EXPECT_THAT(events, ElementsAre("close"));
  EXPECT_EQ(table.size(), 0u);
  expectTheLoopLives();
}

TEST_F(ConnectionErrorsTest, OnBufferFullThatThrowsCloses) {
  endpoint.sendQueueBytesMax = 10;
  endpoint.handlers.onBufferFull = [](Connection&) { throwNow(); };
  Connected one = acceptQuietly();
  (void)at(one).send("0123456789");
  EXPECT_EQ(at(one).send("too much"), SendStatus::Full);
  settle();
  EXPECT_EQ(one.peer.take(), "0123456789\n");
  EXPECT_THAT(events, ElementsAre("close 1011"));
}

TEST_F(ConnectionErrorsTest, OnErrorThatThrowsDoesNotCloseTwice) {
  endpoint.handlers.onError = [](Connection&, const Error&) { throwNow(); };
  Connected one = acceptQuietly(test::tcpPair());
  one.peer.reset();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_EQ(events.size(), 1u);
  EXPECT_EQ(counters().handlerErrors.get(), 1u);
}

TEST_F(ConnectionErrorsTest, ACustomProtocolThatThrowsClosesOnlyThatConnection) {
  use(std::make_unique<PackageCodec>(Protocol::custom(
      "fragile",
      [](std::string_view buffer) -> std::ptrdiff_t {
        if (buffer.starts_with("input")) throwNow();
        return static_cast<std::ptrdiff_t>(buffer.size());
      },
      [](std::string_view package) {
        if (package.starts_with("decode")) throwNow();
        return package;
      },
      [](std::string_view message, std::string& out) { out.append(message); })));
  for (const char* bytes : {"input", "decode"}) {
    Connected one = acceptQuietly();
    one.peer.send(bytes);
    settle();
    EXPECT_THAT(takeEvents(), ElementsAre("close 1011")) << bytes;
    EXPECT_TRUE(one.peer.ended());
  }
  EXPECT_EQ(counters().handlerErrors.get(), 2u);
  Connected other = acceptQuietly();
  other.peer.send("fine");
  settle();
  EXPECT_THAT(events, ElementsAre("fine"));
}

TEST_F(ConnectionErrorsTest, SendingToADisconnectedPeerIsAnErrorOfSend) {
  auto pair = test::unixPair();
  Connected one = acceptQuietly(std::move(pair));
  at(one).pauseRecv();  // else its end would be read first
  one.peer.close();
  turn();
  (void)at(one).send("nobody there");
  turn();
  EXPECT_THAT(events, ElementsAre("error in send", "close 1006"));
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(ConnectionErrorsTest, MessagesSentBeforeTheFailureAreDeliveredFirst) {
  Connected one = acceptQuietly(test::unixPair());
  at(one).pauseRecv();
  one.peer.send("last words\n");
  one.peer.close();
  turn();
  (void)at(one).send("nobody there");
  turn();
  EXPECT_THAT(events, ElementsAre("last words", "error in send", "close 1006"));
}

TEST_F(ConnectionErrorsTest, AResetWhileOutputWaitsClosesTheConnection) {
  auto pair = test::tcpPair();
  test::shrinkSendBuffer(pair.tested.get());
  Connected one = acceptQuietly(std::move(pair));
  endpoint.sendQueueBytesMax = 64 << 20;
  (void)at(one).send(std::string(8 << 20, 'L'));
  turn();
  ASSERT_GT(at(one).sendQueueBytes(), 0u);
  one.peer.reset();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_EQ(events.size(), 2u);
  EXPECT_EQ(events.back(), "close 1006");
}

TEST_F(ConnectionErrorsTest, AResetWhileClosingIsNoError) {
  auto pair = test::tcpPair();
  test::shrinkSendBuffer(pair.tested.get());
  Connected one = acceptQuietly(std::move(pair));
  (void)at(one).send(std::string(900'000, 'L'));
  at(one).close();
  turn();
  one.peer.reset();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_THAT(events, ElementsAre("close 1000"));
}

TEST_F(ConnectionErrorsTest, ASocketThatCannotBeWatchedIsClosedAndReported) {
  test::SocketPair pair = test::unixPair();
  LoopImpl::of(loop).refuseWatches(ENOSPC);
  const auto refused = table.accept(std::move(pair.tested), endpoint);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, std::errc::no_space_on_device);
  EXPECT_STREQ(refused.error().step, "epoll_ctl");
  EXPECT_TRUE(pair.peer.ended());
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(counters().connections.get(), 0u);
  EXPECT_THAT(events, IsEmpty());
}

TEST_F(ConnectionErrorsTest, WhenEpolloutCannotBeWatchedOnlyThatConnectionFails) {
  endpoint.sendQueueBytesMax = 1 << 20;
  test::SocketPair pair = test::unixPair();
  test::shrinkSendBuffer(pair.tested.get());
  Connected slow = acceptQuietly(std::move(pair));
  Connected other = acceptQuietly();
  (void)at(slow).send(std::string(500'000, 'x'));
  LoopImpl::of(loop).refuseWatches(ENOMEM);
  settle();
  EXPECT_THAT(takeEvents(), ElementsAre("error in send", "close 1006"));
  LoopImpl::of(loop).refuseWatches(0);
  other.peer.send("still here\n");
  settle();
  EXPECT_THAT(events, ElementsAre("still here"));
}

}  // namespace
}  // namespace stormo::net
