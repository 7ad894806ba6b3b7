// Messages that stop in the middle: how long they are held, and how many bytes in total.
#include <unistd.h>

#include <fstream>
#include <vector>

#include "event/loop_impl.h"
#include "net/net_fixture.h"
#include "support/websocket_client.h"

namespace stormo::net {
namespace {

using namespace std::chrono_literals;
using test::WebSocketClient;
using testing::ElementsAre;
using testing::IsEmpty;
using websocket::Opcode;

TimePoint fakeNow;

class IncompleteMessagesTest : public NetTest {
 protected:
  IncompleteMessagesTest() {
    fakeNow = TimePoint{} + 1h;
    LoopImpl::of(loop).useClock([] { return fakeNow; });
    use(std::make_unique<WebSocketCodec>(WebSocketOptions{}));
    endpoint.messageTimeout = 30s;
    endpoint.pongTimeout = 1h;
  }

  WebSocketClient open() {
    Connected one = accept();
    last = one.id;
    WebSocketClient client(std::move(one.peer));
    client.sendHandshake();
    settle();
    EXPECT_TRUE(client.isOpen());
    events.clear();
    return client;
  }
  /// The beginning of a message of `whole` bytes.
  static std::string beginning(std::size_t bytes, std::size_t whole = 1 << 20) {
    std::string frame = WebSocketClient::frame(0x82, std::string(whole, 'x'));
    return frame.substr(0, frame.size() - whole + bytes);
  }
  void sendAll(WebSocketClient& client, std::string_view bytes) {
    ASSERT_TRUE(turnUntil([&] {
      bytes.remove_prefix(client.raw().send(bytes));
      return bytes.empty();
    }));
    settle();
  }
  void pass(std::chrono::seconds time) {
    for (; time > 0s; time -= 1s) {
      fakeNow += 1s;
      settle();
    }
  }
  static void expectClose(WebSocketClient& client, CloseCode code, std::string_view reason) {
    const auto frame = client.next();
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(frame->opcode, Opcode::Close);
    EXPECT_EQ(WebSocketClient::closeCode(*frame), code);
    EXPECT_EQ(WebSocketClient::closeReason(*frame), reason);
  }

  ConnectionId last = 0;
};

TEST_F(IncompleteMessagesTest, AMessageWhoseRestIsUnreadDoesNotTimeOut) {
  WebSocketClient client = open();
  const std::string whole = WebSocketClient::frame(0x82, std::string(1000, 'x'));
  sendAll(client, whole.substr(0, 500));
  loop.defer([&] { client.raw().send(whole.substr(500)); });
  fakeNow += 40s;
  settle();
  EXPECT_THAT(events, ElementsAre(std::string(1000, 'x')));
  EXPECT_EQ(counters().incompleteClosed.get(), 0u);
}

TEST_F(IncompleteMessagesTest, AMessageThatStopsInTheMiddleTimesOut) {
  WebSocketClient client = open();
  sendAll(client, beginning(100'000));
  EXPECT_GE(counters().incompleteBytes.get(), 100'000u);
  pass(28s);
  EXPECT_THAT(events, IsEmpty());
  pass(4s);
  expectClose(client, CloseCode::PolicyViolation, "the message took too long");
  EXPECT_THAT(events, ElementsAre("close 1008"));
  EXPECT_EQ(counters().incompleteBytes.get(), 0u);
  EXPECT_EQ(counters().incompleteClosed.get(), 1u);
}

TEST_F(IncompleteMessagesTest, ATrickleOfBytesTimesOut) {
  WebSocketClient client = open();
  sendAll(client, beginning(100'000));
  for (int i = 0; i < 32; ++i) {
    sendAll(client, "x");
    pass(1s);
  }
  EXPECT_THAT(events, ElementsAre("close 1008"));
}

TEST_F(IncompleteMessagesTest, PingsAndEmptyFragmentsDoNotDelayTheTimeout) {
  WebSocketClient client = open();
  sendAll(client, WebSocketClient::frame(0x02, std::string(1000, 'x')));
  for (int i = 0; i < 32; ++i) {
    for (int k = 0; k < 300; ++k) client.sendPing(std::string(125, 'p'));
    sendAll(client, WebSocketClient::frame(0x00, ""));
    pass(1s);
  }
  EXPECT_THAT(events, ElementsAre("close 1008"));
}

TEST_F(IncompleteMessagesTest, AMessageThatMakesProgressMayTakeLong) {
  WebSocketClient client = open();
  const std::string wire = WebSocketClient::frame(0x82, std::string(400'000, 'x'));
  for (std::size_t at = 0; at < wire.size(); at += 40'000) {
    sendAll(client, std::string_view(wire).substr(at, 40'000));
    pass(25s);
  }
  EXPECT_THAT(events, ElementsAre(std::string(400'000, 'x')));
}

TEST_F(IncompleteMessagesTest, EachMessageHasItsOwnTimeout) {
  WebSocketClient client = open();
  const std::string wire = WebSocketClient::text("a") + WebSocketClient::text("b");
  for (int i = 0; i < 40; ++i) {  // each piece ends one message and begins the next
    sendAll(client, std::string_view(wire).substr(i % 2 == 0 ? 0 : 9, i % 2 == 0 ? 9 : 5));
    pass(20s);
  }
  EXPECT_EQ(events.size(), 40u);
}

TEST_F(IncompleteMessagesTest, APausedConnectionDoesNotTimeOut) {
  WebSocketClient client = open();
  sendAll(client, beginning(1000));
  at({last, {}}).pauseRecv();
  pass(100s);
  at({last, {}}).resumeRecv();
  pass(20s);
  EXPECT_THAT(events, IsEmpty());
  pass(12s);
  EXPECT_THAT(events, ElementsAre("close 1008"));
}

TEST_F(IncompleteMessagesTest, LinesAndPackagesTimeOut) {
  use(std::make_unique<PackageCodec>(Protocol::text()));
  Connected one = acceptQuietly();
  one.peer.send("whole\npart");
  settle();
  EXPECT_THAT(takeEvents(), ElementsAre("whole"));
  pass(32s);
  EXPECT_THAT(events, ElementsAre("close 1008"));
}

TEST_F(IncompleteMessagesTest, WithoutMessageTimeoutTheyStay) {
  endpoint.messageTimeout = 0s;
  WebSocketClient client = open();
  sendAll(client, beginning(1000));
  pass(100s);
  EXPECT_THAT(events, IsEmpty());
}

TEST_F(IncompleteMessagesTest, AboveTheTotalLimitTheOldestAndLargestAreClosed) {
  endpoint.incompleteBytesMax = 1'000'000;
  std::vector<WebSocketClient> others;
  for (int i = 0; i < 9; ++i) {
    others.push_back(open());
    sendAll(others.back(), beginning(100'000));
  }
  pass(5s);
  WebSocketClient latest = open();
  const std::string wire = WebSocketClient::text(std::string(300'000, 'h'));
  sendAll(latest, std::string_view(wire).substr(0, 299'000));
  EXPECT_LE(counters().incompleteBytes.get(), 1'000'000u);
  EXPECT_EQ(counters().incompleteClosed.get(), 2u);
  sendAll(latest, std::string_view(wire).substr(299'000));
  EXPECT_EQ(events.back(), std::string(300'000, 'h'));
  int closed = 0;
  for (WebSocketClient& client : others) {
    if (const auto frame = client.next()) {
      ++closed;
      EXPECT_EQ(WebSocketClient::closeCode(*frame), CloseCode::TryAgainLater);
    }
  }
  EXPECT_EQ(closed, 2);
}

TEST_F(IncompleteMessagesTest, AClosedConnectionIsNotInTheTotal) {
  for (int i = 0; i < 3; ++i) {
    WebSocketClient client = open();
    sendAll(client, beginning(50'000));
    EXPECT_GE(counters().incompleteBytes.get(), 50'000u);
    client.raw().close();
    settle();
    WebSocketClient next = open();
    sendAll(next, WebSocketClient::frame(0x02, "x"));
    EXPECT_EQ(counters().incompleteBytes.get(), 1u);
    sendAll(next, WebSocketClient::frame(0x80, ""));
    EXPECT_EQ(counters().incompleteBytes.get(), 0u);
  }
}

#ifndef __SANITIZE_ADDRESS__
/// The resident bytes of this process.
std::size_t residentBytes() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

TEST_F(IncompleteMessagesTest, TheirMemoryIsReturnedToTheSystem) {
  constexpr std::size_t kClients = 100;
  constexpr std::size_t kBytes = 500'000;
  std::vector<WebSocketClient> others;
  std::vector<ConnectionId> ids;
  for (int i = 0; i < 60; ++i) {
    others.push_back(open());
    ids.push_back(last);
  }
  std::vector<WebSocketClient> clients;
  for (std::size_t i = 0; i < kClients; ++i) clients.push_back(open());
  const std::size_t before = residentBytes();
  const std::string bytes = beginning(kBytes);
  for (std::size_t done = 0; done < kBytes;
       done += 20'000) {  // alternating, so that their memory is mixed
    for (WebSocketClient& client : clients) {
      sendAll(client, std::string_view(bytes).substr(done, 20'000));
    }
  }
  const WebSocketClient filler = open();  // its memory follows that of the others
  EXPECT_GE(residentBytes(), before + kClients * kBytes * 9 / 10);
  clients.clear();
  for (const std::size_t receivers : {60u, 40u, 20u, 0u}) {  // each time some spares remain
    for (std::size_t i = 0; i < receivers; ++i) {
      EXPECT_EQ(table.find(ids[i])->send("x"), SendStatus::Queued);
    }
    pass(5s);
  }
  EXPECT_LT(residentBytes(), before + kClients * kBytes / 10);
}
#endif

}  // namespace
}  // namespace stormo::net
