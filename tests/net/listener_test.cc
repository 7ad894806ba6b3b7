#include "net/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <set>

#include "net/net_fixture.h"
#include "support/temp_directory.h"
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

TEST_F(ListenerTest, WhenClientsCannotBeWatchedItWaitsAndThenAccepts) {
  Listener listener(loop, endpoint);
  listener.start(listening.get());
  test::RawPeer refused = test::RawPeer::connect(port());
  loop.impl().refuseWatches(ENOSPC);
  ASSERT_TRUE(turnUntil([&] { return refused.ended(); }));
  EXPECT_EQ(table.size(), 0u);
  const auto turns = counters().turns.get();
  ASSERT_TRUE(turnUntil(
      [&, begin = loop.now()] { return loop.now() > begin + std::chrono::milliseconds(250); }));
  EXPECT_LT(counters().turns.get() - turns, 300u) << "it spins";
  loop.impl().refuseWatches(0);
  const test::RawPeer taken = test::RawPeer::connect(port());
  ASSERT_TRUE(turnUntil([&] { return table.size() == 1; }));
}

int socketOption(int fd, int level, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(fd, level, option, &value, &size);
  return value;
}

TEST_F(ListenerTest, AcceptedSocketsOfProtocolsWithoutPingsHaveKeepAlive) {
  for (const bool pings : {false, true}) {
    endpoint.pingInterval = std::chrono::seconds(pings ? 30 : 0);
    const UniqueFd socket = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
    Listener listener(loop, endpoint);
    listener.start(socket.get());
    const test::RawPeer client = test::RawPeer::connect(localAddress(socket.get()).port());
    ASSERT_TRUE(turnUntil([&] { return table.size() == 1; }));
    table.forEach([&](Peer& peer) {
      EXPECT_EQ(socketOption(peer.fd.get(), SOL_SOCKET, SO_KEEPALIVE), pings ? 0 : 1);
      EXPECT_EQ(socketOption(peer.fd.get(), IPPROTO_TCP, TCP_KEEPIDLE) == 60, !pings);
      peer.destroy();
    });
    settle();
  }
}

TEST_F(ListenerTest, TheKernelHoldsLittleForAcceptedSocketsThatDoNotRead) {
  const UniqueFd socket = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  Listener listener(loop, endpoint);
  listener.start(socket.get());
  const test::RawPeer client = test::RawPeer::connect(localAddress(socket.get()).port());
  ASSERT_TRUE(turnUntil([&] { return table.size() == 1; }));
  table.forEach([&](Peer& peer) {
    EXPECT_EQ(socketOption(peer.fd.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT), 128 << 10);
    EXPECT_EQ(socketOption(peer.fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT), 60'000);
  });
}

/// Processes that accept from one unix socket; each sends its number to its clients.
class SharedSocketTest : public testing::Test {
 protected:
  static constexpr int kWorkers = 4;
  static constexpr int kClients = 200;

  SharedSocketTest() {
    for (int i = 0; i < kWorkers; ++i) {
      const pid_t pid = ::fork();
      if (pid == 0) work(i);
      pids.push_back(pid);
    }
    // All of them watch the socket once each has had a client.
    std::set<int> seen;
    while (static_cast<int>(seen.size()) < kWorkers && clients.size() < 10'000) {
      connect();
      seen.insert(numberSentTo(clients.back()));
    }
    clients.clear();
  }
  ~SharedSocketTest() override {
    for (const pid_t pid : pids) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }

  [[noreturn]] void work(int number) const {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    EventLoop loop;
    const PackageCodec codec(Protocol::tcp());
    Endpoint endpoint;
    endpoint.codec = &codec;
    endpoint.handlers.onConnect = [number](Connection& connection) {
      (void)connection.send(std::string(1, static_cast<char>('0' + number)));
    };
    Listener listener(loop, endpoint);
    listener.start(socket.get());
    loop.run();
    ::_exit(0);
  }

  void connect() { clients.push_back(std::move(connectTo(address).value())); }
  static int numberSentTo(const UniqueFd& client) {
    pollfd ready{.fd = client.get(), .events = POLLIN, .revents = 0};
    ::poll(&ready, 1, 30'000);
    char number = 0;
    return ::read(client.get(), &number, 1) == 1 ? number - '0' : -1;
  }
  // Equal shares are not certain: the system may let a process wait for all of this short time.
  void expectNobodyToHaveMost(const std::map<int, int>& clientsOf) {
    for (const auto& [worker, count] : clientsOf) EXPECT_LE(count, kClients / 2) << worker;
  }

  const test::TempDirectory directory;
  const Address address = *Address::unixPath(directory.file("s"));
  const UniqueFd socket = std::move(*listenOn(address));
  std::vector<UniqueFd> clients;
  std::vector<pid_t> pids;
};

TEST_F(SharedSocketTest, OfClientsThatComeOneByOneNoWorkerTakesMost) {
  std::map<int, int> clientsOf;
  for (int i = 0; i < kClients; ++i) {
    connect();
    ++clientsOf[numberSentTo(clients.back())];
  }
  expectNobodyToHaveMost(clientsOf);
}

TEST_F(SharedSocketTest, OfClientsThatComeAtOnceNoWorkerTakesMost) {
  std::map<int, int> clientsOf;
  for (int i = 0; i < kClients; ++i) connect();
  for (const UniqueFd& client : clients) ++clientsOf[numberSentTo(client)];
  expectNobodyToHaveMost(clientsOf);
}

}  // namespace
}  // namespace stormo::net
