// Backpressure of links that read more slowly than they receive.
#include "channel/channel_fixture.h"
#include "event/loop_impl.h"
#include "support/temp_directory.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t kLimit = 100'000;
constexpr std::size_t kTextBytes = 1000;

/// On unix sockets, whose kernel buffers are small and fixed.
class BackPressureTest : public ChannelTest {
 protected:
  BackPressureTest() {
    server.linkBytesMax = kLimit;
    startHere();
  }

  void startHere() {
    process.reset();
    listening.reset();
    listening = std::move(*listenOn(*Address::unixPath(directory.file("channel"))));
    process.emplace(loop, server);
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

  static std::string text(std::size_t number) {
    std::string text = std::to_string(number) + " ";
    text.resize(kTextBytes, '.');
    return text;
  }

  /// Publishes until the server reads no more, at most `count` messages. Returns their number.
  std::size_t publishUntilBlocked(Link& publisher, std::size_t count) {
    std::size_t sent = 0;
    std::string rest;
    for (int idle = 0; sent < count && idle < 20;) {
      if (rest.empty()) rest = publishGroup("g", text(sent));
      const std::size_t taken = publisher.peer.send(rest);
      rest.erase(0, taken);
      idle = taken == 0 ? idle + 1 : 0;
      if (rest.empty()) ++sent;
      if (!rest.empty()) turn();
    }
    unsent = rest;
    return sent;
  }

  /// Publishes until the subscriber, which does not read, is full, and the publisher is paused.
  std::size_t fill(Link& publisher) {
    const std::size_t published = publishUntilBlocked(publisher, 10'000);
    EXPECT_LT(published, 10'000u) << "the publisher was never paused";
    return published;
  }

  test::TempDirectory directory;
  std::string unsent;
};

TEST_F(BackPressureTest, BackpressurePausesPublishersUntilASlowSubscriberReads) {
  Link slow = linkHere(1, subscribeGroup("g"));
  Link publisher = linkHere(2);
  std::size_t published = fill(publisher);
  EXPECT_LT(published * kTextBytes, kLimit + (3u << 20))
      << "the limit, one turn, and the kernel's buffers";

  std::size_t seen = 0;
  const auto readSome = [&] {
    for (const std::string& payload : slow.take()) {
      ASSERT_EQ(textOf(payload), "group g: " + text(seen));
      ++seen;
    }
  };
  // The publisher's last frame may be incomplete; the rest is sent while the subscriber reads.
  EXPECT_TRUE(turnUntil([&] {
    unsent.erase(0, publisher.peer.send(unsent));
    readSome();
    return unsent.empty();
  }));
  ++published;
  std::string rest = publishGroup("g", text(published));
  EXPECT_TRUE(turnUntil([&] {
    rest.erase(0, publisher.peer.send(rest));
    readSome();
    return rest.empty() && seen == published + 1;
  }));
  EXPECT_EQ(counters().slowClosed.get(), 0u);
}

TEST_F(BackPressureTest, FullLinkIsStillRead) {
  Link slow = linkHere(1, subscribeGroup("g"));
  Link publisher = linkHere(2);
  Link other = linkHere(3, subscribeGroup("other"));
  fill(publisher);
  slow.send(publishGroup("other", "from the full link"));
  EXPECT_TRUE(turnUntil([&] { return other.received().size() == 1; }));
  EXPECT_THAT(textsOf(other.take()), ElementsAre("group other: from the full link"));
}

TEST_F(BackPressureTest, NewLinksCompleteTheHandshakeAndArePaused) {
  Link slow = linkHere(1, subscribeGroup("g"));
  Link publisher = linkHere(2);
  Link other = linkHere(3, subscribeGroup("other"));
  fill(publisher);
  Link late = linkHere(4);
  late.send(publishGroup("other", "late"));
  settle();
  EXPECT_THAT(other.take(), IsEmpty());
  EXPECT_TRUE(turnUntil([&] {
    slow.take();
    return !other.received().empty();
  }));
  EXPECT_THAT(textsOf(other.take()), ElementsAre("group other: late"));
}

TEST_F(BackPressureTest, LinkThatStaysFullIsClosedAndOthersContinue) {
  server.linkStallMax = 60ms;
  startHere();
  Link stuck = linkHere(1, subscribeGroup("g"));
  Link publisher = linkHere(2);
  Link other = linkHere(3, subscribeGroup("other"));
  fill(publisher);
  EXPECT_TRUE(turnUntil([&] { return process->linkCount() == 2; }));
  EXPECT_EQ(counters().slowClosed.get(), 1u);
  EXPECT_TRUE(turnUntil([&] {
    unsent.erase(0, publisher.peer.send(unsent));
    return unsent.empty();
  }));
  publisher.send(publishGroup("other", "after the close"));
  EXPECT_TRUE(turnUntil([&] { return other.received().size() == 1; }));
  EXPECT_THAT(textsOf(other.take()), ElementsAre("group other: after the close"));
}

TEST_F(BackPressureTest, NoLinkIsClosedBecauseTheServerWasBlocked) {
  static std::chrono::hours blocked;
  blocked = 0h;
  LoopImpl::of(loop).useClock([] { return std::chrono::steady_clock::now() + blocked; });
  server.linkStallMax = 1h;
  startHere();
  Link slow = linkHere(1, subscribeGroup("g"));
  Link publisher = linkHere(2);
  fill(publisher);
  slow.take();
  blocked = 10h;
  settle();
  EXPECT_EQ(counters().slowClosed.get(), 0u);
  EXPECT_EQ(process->linkCount(), 2u);
}

TEST_F(BackPressureTest, ClosingAFullLinkResumesThePublishers) {
  auto slow = std::make_unique<Link>(linkHere(1, subscribeGroup("g")));
  Link publisher = linkHere(2);
  fill(publisher);
  slow.reset();
  EXPECT_TRUE(turnUntil([&] {
    unsent.erase(0, publisher.peer.send(unsent));
    return unsent.empty();
  }));
  sync(publisher);
}

TEST_F(BackPressureTest, LinkThatPublishesToItselfWithoutReadingIsPaused) {
  Link itself = linkHere(1, subscribeGroup("g"));
  const std::size_t published = fill(itself);
  EXPECT_LT(published * kTextBytes, 3 * kLimit + (3u << 20));
}

}  // namespace
}  // namespace stormo::channel
