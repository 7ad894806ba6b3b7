// What a listener does while the system lacks descriptors, memory or watches.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "net/listener.h"
#include "net/net_fixture.h"
#include "sys/sockets.h"

namespace stormo::net {
namespace {

class AcceptPausesTest : public NetTest {
 protected:
  AcceptPausesTest() : listening(std::move(*listenOn(*Address::ip("127.0.0.1", 0)))) {}
  std::uint16_t port() const { return localAddress(listening.get()).port(); }

  UniqueFd listening;
};

/// Limits the process to that many more descriptors.
class FileLimit {
 public:
  // The undefined behaviour sanitizer checks memory through a pipe, and reports a bug if it cannot
  // open one.
#ifdef __SANITIZE_ADDRESS__
  static constexpr bool kUsable = false;
#else
  static constexpr bool kUsable = true;
#endif

  explicit FileLimit(rlim_t more) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const UniqueFd next(::dup(STDERR_FILENO));
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(next.get()) + more;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  ~FileLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(AcceptPausesTest, KeepsDescriptorsForOtherUsesAndAcceptsWhenThereIsRoom) {
  if (!FileLimit::kUsable) GTEST_SKIP();
  Listener listener(loop, endpoint);
  listener.start(listening.get());
  testing::internal::CaptureStderr();
  std::vector<test::RawPeer> peers;
  {
    const FileLimit limit(60);
    for (int i = 0; i < 35; ++i) peers.push_back(test::RawPeer::connect(port()));
    ASSERT_TRUE(turnUntil([&] { return counters().acceptPauses.get() > 0; }));
    settle();
    EXPECT_GT(table.size(), 0u);
    EXPECT_LT(table.size(), 35u);
    std::vector<UniqueFd> others;
    for (int i = 0; i < 15; ++i) others.emplace_back(::dup(STDERR_FILENO));
    for (const UniqueFd& other : others) EXPECT_TRUE(other.valid()) << "it connects to a Channel";
    const std::size_t before = table.size();
    ASSERT_TRUE(turnUntil(
        [&, begin = loop.now()] { return loop.now() > begin + std::chrono::milliseconds(250); }));
    EXPECT_EQ(table.size(), before);
    others.clear();
    peers[0].close();
    peers[1].close();
    ASSERT_TRUE(turnUntil([&] { return counters().connectionsTotal.get() > before; }));
    peers.erase(peers.begin(), peers.begin() + 2);
  }
  ASSERT_TRUE(turnUntil([&] { return table.size() == peers.size(); }));
  for (test::RawPeer& peer : peers) EXPECT_FALSE(peer.ended());
  EXPECT_EQ(counters().acceptRefused.get(), 0u);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr("cannot accept reason=\"the last 16 descriptors"));
}

TEST_F(AcceptPausesTest, ALackIsLoggedOnceAMinuteWithTheNumberOfPauses) {
  static TimePoint simulatedNow{std::chrono::hours(1)};
  LoopImpl::of(loop).useClock([] { return simulatedNow; });
  settle();
  Listener listener(loop, endpoint);
  listener.start(listening.get());
  LoopImpl::of(loop).refuseWatches(ENOSPC);
  testing::internal::CaptureStderr();
  for (int second = 0; second <= 61; ++second) {
    test::RawPeer refused = test::RawPeer::connect(port());
    ASSERT_TRUE(turnUntil([&] { return refused.ended(); }));
    LoopImpl::of(loop).refuseWatches(0);  // the listening socket itself is watched again
    simulatedNow += std::chrono::seconds(1);
    settle();
    LoopImpl::of(loop).refuseWatches(ENOSPC);
  }
  LoopImpl::of(loop).refuseWatches(0);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::ranges::count(log, '\n'), 2) << log;
  EXPECT_THAT(log, testing::HasSubstr("fs.epoll.max_user_watches) pauses=1 refused=1"));
  EXPECT_THAT(log, testing::HasSubstr("pauses=60 refused=61"));
  EXPECT_EQ(counters().acceptRefused.get(), 62u);
}

TEST_F(AcceptPausesTest, WithoutDescriptorsItPausesAndThenAccepts) {
  if (!FileLimit::kUsable) GTEST_SKIP();
  Listener listener(loop, endpoint);
  listener.start(listening.get());
  std::vector<test::RawPeer> peers;
  {
    const FileLimit limit(2);
    for (int i = 0; i < 2; ++i) peers.push_back(test::RawPeer::connect(port()));
    const auto turns = counters().turns.get();
    ASSERT_TRUE(turnUntil(
        [&, begin = loop.now()] { return loop.now() > begin + std::chrono::milliseconds(60); }));
    EXPECT_LT(counters().turns.get() - turns, 200u) << "it spins";
    EXPECT_EQ(table.size(), 0u);
  }
  ASSERT_TRUE(turnUntil([&] { return table.size() == 2; }));
}

TEST_F(AcceptPausesTest, MayBeStoppedWhileItPausesForDescriptors) {
  if (!FileLimit::kUsable) GTEST_SKIP();
  auto listener = std::make_unique<Listener>(loop, endpoint);
  listener->start(listening.get());
  test::RawPeer peer;
  {
    const FileLimit limit(1);
    peer = test::RawPeer::connect(port());
    settle();
    listener->stop(listening.get());
  }
  listener->start(listening.get());
  listener.reset();
  settle();
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(AcceptPausesTest, WhenClientsCannotBeWatchedItPausesAndThenAccepts) {
  Listener listener(loop, endpoint);
  listener.start(listening.get());
  test::RawPeer refused = test::RawPeer::connect(port());
  LoopImpl::of(loop).refuseWatches(ENOSPC);
  ASSERT_TRUE(turnUntil([&] { return refused.ended(); }));
  EXPECT_EQ(table.size(), 0u);
  const auto turns = counters().turns.get();
  ASSERT_TRUE(turnUntil(
      [&, begin = loop.now()] { return loop.now() > begin + std::chrono::milliseconds(250); }));
  EXPECT_LT(counters().turns.get() - turns, 300u) << "it spins";
  LoopImpl::of(loop).refuseWatches(0);
  const test::RawPeer taken = test::RawPeer::connect(port());
  ASSERT_TRUE(turnUntil([&] { return table.size() == 1; }));
}

}  // namespace
}  // namespace stormo::net
