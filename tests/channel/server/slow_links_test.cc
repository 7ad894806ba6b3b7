// Links that read more slowly than events come cost nobody else anything.
#include "channel/channel_fixture.h"
#include "event/loop_impl.h"
#include "protocol/channel/group_event.h"
#include "support/temp_directory.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr std::size_t kLimit = 100'000;
constexpr std::size_t kTextBytes = 1000;
// More than a link that does not read, its queue and its kernel buffers hold.
constexpr std::size_t kMany = 5000;

/// On unix sockets, whose kernel buffers are small and fixed.
class SlowLinksTest : public ChannelTest {
 protected:
  SlowLinksTest() {
    server.linkBytesMax = kLimit;
    startHere();
  }

  void startHere() {
    process.reset();
    listening.reset();
    listening = std::move(*listenOn(*Address::unixPath(directory.file("channel"))));
    process.emplace(loop, server, makeLog());
    process->listen(listening.get());
  }

  Link linkHere(std::uint64_t producerId, const std::string& frames = {}) {
    Link made{test::RawPeer(std::move(*connectTo(*Address::unixPath(directory.file("channel"))))),
              {}};
    made.isStormo = true;
    made.send(hello(producerId) + frames);
    EXPECT_TRUE(turnUntil([&] { return !made.received().empty(); }));
    EXPECT_THAT(textsOf(made.take()), ElementsAre("welcome"));
    return made;
  }

  /// A subscriber of the messages of all groups, like a PHP process.
  Link workermanLinkHere() {
    Link made{test::RawPeer(std::move(*connectTo(*Address::unixPath(directory.file("channel"))))),
              {}};
    made.send(command(CommandType::Subscribe, {"send_to_group"}));
    settle();
    return made;
  }

  static std::string text(std::size_t number) {
    std::string text = std::to_string(number) + " ";
    text.resize(kTextBytes, '.');
    return text;
  }

  /// Publishes and waits for the acknowledgement of all.
  void publish(Link& publisher, std::size_t first, std::size_t count) {
    for (std::size_t number = first; number < first + count; ++number) {
      const std::string frame = publishGroup("g", text(number), number + 1);
      for (std::size_t sent = 0; sent < frame.size(); turn()) {
        sent += publisher.peer.send(std::string_view(frame).substr(sent));
      }
      publisher.received();
    }
    EXPECT_TRUE(turnUntil([&] {
      publisher.received();
      return publisher.acknowledged == first + count;
    }));
  }
  /// Publishes a message, and returns the number of turns until its acknowledgement has arrived.
  std::size_t turnsToAcknowledge(Link& publisher, std::size_t number) {
    publisher.send(publishGroup("g", text(number), number + 1));
    std::size_t turns = 0;
    while (publisher.acknowledged != number + 1 && turns < 100) {
      turn();
      ++turns;
      publisher.received();
    }
    return turns;
  }
  /// Reads until `count` messages have come, and checks that these are `first` and its successors.
  void expectMessages(Link& link, std::size_t first, std::size_t count) {
    EXPECT_TRUE(turnUntil([&] { return link.received().size() >= count; }));
    std::size_t number = first;
    for (const std::string& payload : link.take()) {
      ASSERT_EQ(textOf(payload), "group g: " + text(number));
      ++number;
    }
    EXPECT_EQ(number, first + count);
  }
  std::size_t queuedBytes() {
    std::size_t bytes = 0;
    net::ConnectionTable::of(loop).forEach(
        [&](net::ConnectionImpl& each) { bytes += each.queuedBytes(); });
    return bytes;
  }

  test::TempDirectory directory;
};

TEST_F(SlowLinksTest, LinkThatDoesNotReadDelaysNobodyAndLaterGetsAll) {
  Link slow = linkHere(1, subscribeGroup("g"));
  Link quick = linkHere(2, subscribeGroup("g"));
  Link publisher = linkHere(3);
  publish(publisher, 0, kMany);
  expectMessages(quick, 0, kMany);
  EXPECT_LE(queuedBytes(), 2 * kLimit);
  expectMessages(slow, 0, kMany);
  publish(publisher, kMany, 3);
  expectMessages(slow, kMany, 3);
  expectMessages(quick, kMany, 3);
  EXPECT_EQ(counters().slowClosed.get(), 0u);
}

TEST_F(SlowLinksTest, LinkOfWorkermansDialectGetsWhatItHasMissed) {
  Link slow = workermanLinkHere();
  Link publisher = linkHere(3);
  publish(publisher, 0, kMany);
  EXPECT_TRUE(turnUntil([&] { return slow.received().size() >= kMany; }));
  std::size_t number = 0;
  for (const std::string& payload : slow.take()) {
    std::string data;
    appendGroupEvent("g", text(number++), data);
    ASSERT_EQ(payload, eventPayload("send_to_group", data));
  }
  EXPECT_EQ(number, kMany);
}

TEST_F(SlowLinksTest, AcknowledgementComesInTheSameTurnAsWithoutAStoppedSubscriber) {
  Link publisher = linkHere(3);
  for (std::size_t number = 0; number < 10; ++number) {
    ASSERT_EQ(turnsToAcknowledge(publisher, number), 1u);
  }
  Link stormo = linkHere(1, subscribeGroup("g"));
  Link workerman = workermanLinkHere();
  Link quick = linkHere(2, subscribeGroup("g"));
  for (std::size_t number = 10; number < kMany; ++number) {
    ASSERT_EQ(turnsToAcknowledge(publisher, number), 1u) << number;
    ASSERT_EQ(quick.take().size(), 1u) << number;
  }
  EXPECT_GT(stormo.received().size(), 0u);  // they were not closed
  EXPECT_GT(workerman.received().size(), 0u);
  EXPECT_EQ(process->linkCount(), 4u);
}

TEST_F(SlowLinksTest, LinkThatMissesMoreThanTheReplayWindowGetsAGap) {
  server.replayBytesMax = 1;
  startHere();
  Link slow = linkHere(1, subscribeGroup("g"));
  Link publisher = linkHere(3);
  publish(publisher, 0, kMany);
  std::vector<std::string> received;
  EXPECT_TRUE(turnUntil([&] {
    for (std::string& each : textsOf(slow.take())) received.push_back(std::move(each));
    return !received.empty() && received.back() == "gap";
  }));
  EXPECT_LT(received.size(), kMany);
  publish(publisher, kMany, 1);
  expectMessages(slow, kMany, 1);
}

TEST_F(SlowLinksTest, HistoryReplyComesAfterTheEventsThatALinkHasMissed) {
  Link slow = linkHere(1, subscribeGroup("g"));
  Link publisher = linkHere(3);
  publish(publisher, 0, kMany);
  slow.send(encode({.kind = Kind::HistoryRequest, .space = Space::Groups, .channel = "g"}));
  EXPECT_TRUE(turnUntil([&] { return slow.received().size() == kMany + 1; }));
  Packet last;
  ASSERT_EQ(decode(slow.payloads.back(), last), Decode::Ok);
  EXPECT_EQ(last.kind, Kind::HistoryReply);
  EXPECT_EQ(last.offset, kMany);
}

TEST_F(SlowLinksTest, EventForOneSubscriberPassesOverALinkThatLags) {
  Link slow = linkHere(1, subscribeGroup("g") + subscribeEvent("work"));
  Link quick = linkHere(2, subscribeEvent("work"));
  Link publisher = linkHere(3);
  publish(publisher, 0, kMany);
  for (std::uint64_t i = 0; i < 4; ++i)
    publisher.send(publishEvent("work", "N;", kMany + 1 + i, true));
  EXPECT_TRUE(turnUntil([&] { return quick.received().size() == 4; }));
}

TEST_F(SlowLinksTest, LinkThatTakesNothingIsClosed) {
  server.linkStallMax = 60ms;
  startHere();
  Link stuck = linkHere(1, subscribeGroup("g"));
  Link publisher = linkHere(2);
  publish(publisher, 0, kMany);
  EXPECT_TRUE(turnUntil([&] { return process->linkCount() == 1; }));
  EXPECT_EQ(counters().slowClosed.get(), 1u);
}

TEST_F(SlowLinksTest, NoLinkIsClosedBecauseTheServerWasBlocked) {
  static std::chrono::hours blocked;
  blocked = 0h;
  LoopImpl::of(loop).useClock([] { return std::chrono::steady_clock::now() + blocked; });
  server.linkStallMax = 1h;
  startHere();
  Link slow = linkHere(1, subscribeGroup("g"));
  Link publisher = linkHere(2);
  publish(publisher, 0, kMany);
  blocked = 10h;
  settle();
  EXPECT_EQ(counters().slowClosed.get(), 0u);
  EXPECT_EQ(process->linkCount(), 2u);
}

/// A link that reads less than the amount after which the kernel's full send buffer has room again.
/// Time passes by tick() only.
class SlowReaderTest : public SlowLinksTest {
 protected:
  SlowReaderTest() {
    now = TimePoint(1h);
    LoopImpl::of(loop).useClock([] { return now; });
    server.linkStallMax = 4h;
  }

  /// A quarter of linkStallMax.
  void tick() {
    now += 1h;
    settle();
  }
  net::ConnectionImpl& linkWithQueue() {
    net::ConnectionImpl* found = nullptr;
    net::ConnectionTable::of(loop).forEach([&](net::ConnectionImpl& each) {
      if (each.queuedBytes() > 0) found = &each;
    });
    return *found;
  }
  /// `read` reads from the slow link once for each tick. It must not be closed. Once it reads
  /// nothing more, it must be.
  void expectClosedOnlyAfterReading(const std::function<void(net::ConnectionImpl&)>& read) {
    net::ConnectionImpl& link = linkWithQueue();
    const std::uint64_t written = link.bytesWritten();
    for (int ticks = 0; ticks < 12; ++ticks) {
      read(link);
      tick();
      ASSERT_EQ(process->linkCount(), 2u) << ticks;
    }
    EXPECT_EQ(link.bytesWritten(), written) << "it reads so much that this tests nothing";
    for (int ticks = 0; ticks < 3; ++ticks) tick();
    EXPECT_EQ(process->linkCount(), 2u);
    EXPECT_TRUE(turnUntil([&] {
      tick();
      return process->linkCount() == 1;
    }));
    EXPECT_EQ(counters().slowClosed.get(), 1u);
  }

  static inline TimePoint now;
};

TEST_F(SlowReaderTest, LinkOnAUnixSocketIsClosedOnlyAfterItStopsReading) {
  startHere();
  Link slow = linkHere(1, subscribeGroup("g"));
  Link publisher = linkHere(2);
  publish(publisher, 0, kMany);
  expectClosedOnlyAfterReading(
      [&](net::ConnectionImpl&) { EXPECT_TRUE(slow.peer.receive(2 * kTextBytes)); });
}

TEST_F(SlowReaderTest, LinkOnTcpIsClosedOnlyAfterItStopsReading) {
  start();
  Link slow = link();
  const int few = 1;  // the kernel's minimum
  ASSERT_EQ(::setsockopt(slow.peer.fd(), SOL_SOCKET, SO_RCVBUF, &few, sizeof few), 0);
  slow.send(hello(1) + subscribeGroup("g"));
  Link publisher = stormoLink(2);
  publish(publisher, 0, kMany);
  expectClosedOnlyAfterReading([&](net::ConnectionImpl& link) {
    const std::size_t held = kernelOutputBytes(link.fd.get());
    EXPECT_TRUE(turnUntil([&] {
      slow.peer.receive();
      return kernelOutputBytes(link.fd.get()) < held;
    }));
  });
}

TEST_F(SlowLinksTest, LinkThatRequestsWithoutReadingIsClosed) {
  Link greedy = linkHere(1);
  const std::string request =
      encode({.kind = Kind::HistoryRequest, .space = Space::Groups, .channel = "g"});
  std::string frames;
  for (int i = 0; i < 400; ++i) frames += encode({.kind = Kind::Ping}) + request;
  EXPECT_TRUE(turnUntil([&] {
    (void)greedy.peer.send(frames);
    return process->linkCount() == 0;
  }));
}

}  // namespace
}  // namespace stormo::channel
