#include "net/listener.h"

#include <sys/resource.h>

#include "net/net_fixture.h"
#include "sys/sockets.h"

namespace stormo::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ListenerTest : public NetTest {
 protected:
  ListenerTest() : listening(std::move(*listenOn(*Address::ip("127.0.0.1", 0)))) {}
  std::uint16_t port() const { return localAddress(listening.get()).port(); }

  UniqueFd listening;
};

TEST_F(ListenerTest, AcceptsIntoTheTableWhileItIsStarted) {
  Listener listener(loop, endpoint);
  test::RawPeer early = test::RawPeer::connect(port());
  settle();
  EXPECT_THAT(heard, IsEmpty());
  listener.start(listening.get());
  listener.start(listening.get());
  ASSERT_TRUE(turnUntil([&] { return table.size() == 1; }));
  early.send("hello\n");
  ASSERT_TRUE(turnUntil([&] { return heard.size() == 2; }));
  EXPECT_THAT(takeHeard(), ElementsAre("connect", "hello"));

  listener.stop(listening.get());
  test::RawPeer late = test::RawPeer::connect(port());
  settle();
  EXPECT_THAT(heard, IsEmpty());
  listener.start(listening.get());
  ASSERT_TRUE(turnUntil([&] { return table.size() == 2; }));
}

TEST_F(ListenerTest, AcceptsFromSeveralSockets) {
  const UniqueFd other = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  Listener listener(loop, endpoint);
  listener.start(listening.get());
  listener.start(other.get());
  const test::RawPeer one = test::RawPeer::connect(port());
  const test::RawPeer two = test::RawPeer::connect(localAddress(other.get()).port());
  ASSERT_TRUE(turnUntil([&] { return table.size() == 2; }));
}

TEST_F(ListenerTest, ManyThatWaitAreAllAccepted) {
  Listener listener(loop, endpoint);
  std::vector<test::RawPeer> peers;
  for (int i = 0; i < 200; ++i) peers.push_back(test::RawPeer::connect(port()));
  listener.start(listening.get());
  ASSERT_TRUE(turnUntil([&] { return table.size() == 200; }));
}

TEST_F(ListenerTest, OnConnectMayStopIt) {
  Listener listener(loop, endpoint);
  endpoint.handlers.onConnect = [&](Connection&) { listener.stopAll(); };
  listener.start(listening.get());
  const test::RawPeer one = test::RawPeer::connect(port());
  ASSERT_TRUE(turnUntil([&] { return table.size() == 1; }));
  settle();
}

/// Leaves room for that many more descriptors.
class FileLimit {
 public:
  // The undefined behaviour sanitizer looks at memory through a pipe, and takes its failure for a
  // bug of ours.
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

TEST_F(ListenerTest, WithoutDescriptorsItWaitsAndThenAccepts) {
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

TEST_F(ListenerTest, MayBeStoppedWhileItWaitsForDescriptors) {
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

}  // namespace
}  // namespace stormo::net
