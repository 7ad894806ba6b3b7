#include "net/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>

#include "net/net_fixture.h"
#include "process/shared_counters.h"
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

TEST_F(ListenerTest, AcceptsWhileItIsStarted) {
  Listener listener(loop, endpoint);
  test::RawPeer early = test::RawPeer::connect(port());
  settle();
  EXPECT_THAT(events, IsEmpty());
  listener.start(listening.get());
  listener.start(listening.get());
  ASSERT_TRUE(turnUntil([&] { return table.size() == 1; }));
  early.send("hello\n");
  ASSERT_TRUE(turnUntil([&] { return events.size() == 2; }));
  EXPECT_THAT(takeEvents(), ElementsAre("connect", "hello"));

  listener.stop(listening.get());
  test::RawPeer late = test::RawPeer::connect(port());
  settle();
  EXPECT_THAT(events, IsEmpty());
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

TEST_F(ListenerTest, AcceptsManyWaitingClients) {
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
    table.forEach([&](ConnectionImpl& connection) {
      EXPECT_EQ(socketOption(connection.fd.get(), SOL_SOCKET, SO_KEEPALIVE), pings ? 0 : 1);
      EXPECT_EQ(socketOption(connection.fd.get(), IPPROTO_TCP, TCP_KEEPIDLE) == 60, !pings);
      connection.destroy();
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
  table.forEach([&](ConnectionImpl& connection) {
    EXPECT_EQ(socketOption(connection.fd.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT), 128 << 10);
    EXPECT_EQ(socketOption(connection.fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT), 60'000);
  });
}

/// A worker of one shared unix socket, with a sibling that is only counters, on a simulated clock.
class ListenerWithSiblingTest : public ListenerTest {
 protected:
  ListenerWithSiblingTest() {
    LoopImpl::of(loop).useClock([] { return simulatedNow; });
    sibling.listeners.set(1);
    listener.start(shared.get());
  }
  void connect() { clients.push_back(std::move(connectTo(address).value())); }
  void connectUntilAhead() {
    while (table.size() < 5) {
      connect();
      settle();
    }
  }
  void pass(std::chrono::milliseconds time) {
    simulatedNow += time;
    settle();
  }

  static inline TimePoint simulatedNow{std::chrono::hours(1)};
  const test::TempDirectory directory;
  const Address address = *Address::unixPath(directory.file("s"));
  const UniqueFd shared = std::move(*listenOn(address));
  Counters sibling;
  Listener listener{loop, endpoint, {&sibling}};
  std::vector<UniqueFd> clients;
};

TEST_F(ListenerWithSiblingTest, LeavesAClientToASiblingWithFewerConnectionsFor5Ms) {
  connectUntilAhead();
  connect();
  settle();
  EXPECT_EQ(table.size(), 5u);
  sibling.turns.add();  // it is alive, and busy
  pass(std::chrono::milliseconds(5));
  EXPECT_EQ(table.size(), 6u) << "no client waits for a busy sibling";
  connect();
  settle();
  EXPECT_EQ(table.size(), 6u);
  sibling.connections.set(6);
  pass(std::chrono::milliseconds(5));
  EXPECT_EQ(table.size(), 7u);
}

TEST_F(ListenerWithSiblingTest, IgnoresAHungSiblingUntilItMakesATurn) {
  connectUntilAhead();
  for (int i = 0; i < 100; ++i) connect();
  for (int i = 0; i < 60; ++i) pass(std::chrono::milliseconds(5));
  EXPECT_EQ(table.size(), 105u);
  sibling.turns.add();
  connect();
  settle();
  EXPECT_EQ(table.size(), 105u) << "it works again";
}

TEST_F(ListenerWithSiblingTest, DoesNotWaitForASiblingThatDoesNotAccept) {
  sibling.listeners.set(0);
  for (int i = 0; i < 10; ++i) connect();
  settle();
  EXPECT_EQ(table.size(), 10u);
}

TEST_F(ListenerWithSiblingTest, DoesNotSpinWhileNoClientWaits) {
  connectUntilAhead();
  const auto timers = counters().timers.get();
  connect();
  settle();
  EXPECT_EQ(counters().timers.get(), timers + 1);
  sibling.turns.add();
  pass(std::chrono::milliseconds(5));
  EXPECT_EQ(counters().timers.get(), timers);
  EXPECT_EQ(counters().listeners.get(), 1u);
  listener.stopAll();
  EXPECT_EQ(counters().listeners.get(), 0u);
}

/// Processes that accept from the same unix sockets; each sends its number to its clients.
class SharedSocketTest : public testing::Test {
 protected:
  static constexpr int kWorkers = 4;
  static constexpr int kClients = 200;
  static constexpr int kFairPart = kClients / kWorkers / 2;

  SharedSocketTest() {
    int started[2];
    EXPECT_EQ(::pipe2(started, O_CLOEXEC), 0);
    const UniqueFd reading(started[0]);
    const UniqueFd writing(started[1]);
    for (int i = 0; i < kWorkers; ++i) {
      const pid_t pid = ::fork();
      if (pid == 0) work(i, writing.get());
      pids.push_back(pid);
    }
    char mark = 0;
    for (int i = 0; i < kWorkers; ++i) EXPECT_EQ(::read(reading.get(), &mark, 1), 1);
  }
  ~SharedSocketTest() override {
    for (const pid_t pid : pids) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }

  [[noreturn]] void work(int number, int started) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    EventLoop loop;
    LoopImpl::of(loop).useCounters(*counters.at(static_cast<std::size_t>(number)));
    std::vector<const Counters*> siblings;
    for (const auto& each : counters) {
      if (&*each != &LoopImpl::of(loop).counters()) siblings.push_back(&*each);
    }
    const PackageCodec codec(Protocol::tcp());
    Endpoint endpoint;
    endpoint.codec = &codec;
    endpoint.handlers.onConnect = [number](Connection& connection) {
      (void)connection.send(std::string(1, static_cast<char>('0' + number)));
    };
    Listener listener(loop, endpoint, siblings);
    listener.start(socket.get());
    listener.start(otherSocket.get());
    if (::write(started, "", 1) == 1) loop.run();
    ::_exit(0);
  }

  void connect(const Address& to) { clients.push_back(std::move(connectTo(to).value())); }
  void connect() { connect(address); }
  static int numberSentTo(const UniqueFd& client) {
    pollfd ready{.fd = client.get(), .events = POLLIN, .revents = 0};
    ::poll(&ready, 1, 30'000);
    char number = 0;
    return ::read(client.get(), &number, 1) == 1 ? number - '0' : -1;
  }
  static void expectFairParts(const std::map<int, int>& clientsOf) {
    std::string parts;
    int least = kClients;
    for (int worker = 0; worker < kWorkers; ++worker) {
      const auto found = clientsOf.find(worker);
      const int part = found == clientsOf.end() ? 0 : found->second;
      parts += std::to_string(part) + " ";
      least = std::min(least, part);
    }
    EXPECT_GE(least, kFairPart) << parts;
    RecordProperty("smallest_part", least);
  }

  const test::TempDirectory directory;
  const Address address = *Address::unixPath(directory.file("s"));
  const Address otherAddress = *Address::unixPath(directory.file("t"));
  const UniqueFd socket = std::move(*listenOn(address));
  const UniqueFd otherSocket = std::move(*listenOn(otherAddress));
  std::array<process::SharedCounters, kWorkers> counters;
  std::vector<UniqueFd> clients;
  std::vector<pid_t> pids;
};

TEST_F(SharedSocketTest, ClientsThatConnectOneByOneAreSharedFairly) {
  std::map<int, int> clientsOf;
  for (int i = 0; i < kClients; ++i) {
    connect();
    ++clientsOf[numberSentTo(clients.back())];
  }
  expectFairParts(clientsOf);
}

TEST_F(SharedSocketTest, ClientsThatConnectAtOnceAreSharedFairly) {
  std::map<int, int> clientsOf;
  for (int i = 0; i < kClients; ++i) connect();
  for (const UniqueFd& client : clients) ++clientsOf[numberSentTo(client)];
  expectFairParts(clientsOf);
}

TEST_F(SharedSocketTest, ClientsOfTwoSocketsAreSharedFairly) {
  std::map<int, int> clientsOf;
  for (int i = 0; i < kClients; ++i) connect(i % 2 == 0 ? address : otherAddress);
  for (const UniqueFd& client : clients) ++clientsOf[numberSentTo(client)];
  expectFairParts(clientsOf);
}

TEST_F(SharedSocketTest, AHungWorkerDelaysNoClient) {
  ::kill(pids.front(), SIGSTOP);
  int status = 0;
  ASSERT_EQ(::waitpid(pids.front(), &status, WUNTRACED), pids.front());
  std::map<int, int> clientsOf;
  for (int i = 0; i < kClients; ++i) {
    connect();
    ++clientsOf[numberSentTo(clients.back())];
  }
  EXPECT_EQ(clientsOf.count(0), 0u);
  for (int worker = 1; worker < kWorkers; ++worker) EXPECT_GE(clientsOf[worker], kFairPart);
}

}  // namespace
}  // namespace stormo::net
