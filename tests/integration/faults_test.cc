// Clients that stay connected get every message once and in its sender's order, whatever fault the
// server has. `./dev faults` runs this for a longer time.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <random>

#include "integration/delivery_ledger.h"
#include "integration/fixed_ports.h"
#include "integration/harness/full_disk.h"
#include "integration/harness/slow_subscriber.h"
#include "integration/harness/with_stormo.h"
#include "integration/reply_probe.h"

namespace stormo::integration {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::IsEmpty;

constexpr std::size_t kClients = 400;
constexpr std::size_t kGroups = 20;
constexpr std::size_t kMessagesPerTick = 10;
constexpr auto kTick = 10ms;
constexpr auto kBetweenFaults = 2s;
constexpr std::string_view kBlocked = "the log cannot be written";
constexpr std::string_view kUnblocked = "the log can be written again";

std::size_t numberFromEnvironment(const char* name, std::size_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::stoul(value);
}

std::size_t countOf(std::string_view needle, std::string_view text) {
  std::size_t count = 0;
  for (auto at = text.find(needle); at != text.npos; at = text.find(needle, at + 1)) ++count;
  return count;
}

std::vector<int> socketsOf(pid_t pid) {
  std::vector<int> sockets;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    std::error_code ignored;
    const std::string target = std::filesystem::read_symlink(entry.path(), ignored).string();
    if (target.starts_with("socket:")) sockets.push_back(std::stoi(entry.path().filename()));
  }
  return sockets;
}

const std::chrono::seconds kDuration(numberFromEnvironment("STORMO_FAULTS_SECONDS", 25));

/// The ready server, or the README's first program.
class FaultsTest : public WithStormo, public testing::WithParamInterface<const char*> {
 protected:
  struct Client {
    Id id;
    DeliveryLedger::Member member;
    std::size_t group;
  };

  FaultsTest() : WithStormo(kDuration + 120s, GetParam()), random(seed) {
    std::printf("seed %zu (STORMO_FAULTS_SEED repeats it)\n", seed);
  }

  [[nodiscard]] static bool isServer() { return GetParam() == std::string_view("stormo"); }

  void start() {
    launch("0");
    meetClients();
    if (isServer()) {
      slowSubscriber.emplace(phpSocket());
      probe.emplace(clients());
    }
    clients().onMessage = [this](Id id, const SwarmClient::Received& message) {
      const auto member = members.find(id);
      if (member == members.end()) return;  // it is still joining
      ledger.received(member->second, message.data);
      clients().clear(id);
    };
    std::vector<Id> ids = clients().connect(kClients);
    clients().joinAll(ids, [](std::size_t i) { return groupName(i % kGroups); });
    for (std::size_t i = 0; i < kClients; ++i) addClient(ids[i], i % kGroups);
  }

  [[nodiscard]] std::string phpSocket() const { return stormo.folder() + "/php.sock"; }
  void launch(const std::string& port) {
    if (!isServer()) return stormo.start();
    stormo.start({"--listen", "websocket://127.0.0.1:" + port, "--workers", "4",
                  "--channel-stall-seconds", "2", "--channel-listen", "unix://" + phpSocket()});
  }

  static std::string groupName(std::size_t group) { return "group" + std::to_string(group); }

  void addClient(Id id, std::size_t group) {
    const DeliveryLedger::Member member = ledger.join(group);
    members[id] = member;
    swarm.push_back({.id = id, .member = member, .group = group});
  }

  /// Traffic until `done`.
  void publishUntil(const std::string& what, const std::function<bool()>& done) {
    while (!done()) {
      const auto tick = steady_clock::now() + kTick;
      clients().runUntil(what, [&] {
        if (probe) probe->advance();
        if (slowSubscriber) slowSubscriber->advance();
        return steady_clock::now() >= tick;
      });
      for (std::size_t i = 0; i < kMessagesPerTick; ++i) {
        const Client& client = swarm[random() % swarm.size()];
        if (!clients()[client.id].isOpen()) continue;
        clients().sendToGroup(client.id, groupName(client.group),
                              ledger.nextMessage(client.member));
      }
    }
  }
  void publishFor(std::chrono::milliseconds duration) {
    const auto end = steady_clock::now() + duration;
    publishUntil("traffic", [&] { return steady_clock::now() >= end; });
  }
  /// Traffic without a fault. Nobody who sends then waits for the slow subscriber.
  void publishUndisturbed() {
    const std::size_t replies = probe ? probe->replyCount() : 0;
    publishFor(kBetweenFaults);
    EXPECT_TRUE(!probe || probe->replyCount() > replies) << "a send waits for its reply";
  }

  /// Disconnected clients reconnect as new members.
  void reconnect() {
    std::vector<Client> lost;
    std::erase_if(swarm, [&](const Client& client) {
      if (!clients()[client.id].isClosed()) return false;
      ledger.leave(client.member);
      members.erase(client.id);
      lost.push_back(client);
      return true;
    });
    const std::vector<Id> ids = clients().connect(lost.size());
    clients().joinAll(ids, [&](std::size_t i) { return groupName(lost[i].group); });
    for (std::size_t i = 0; i < lost.size(); ++i) addClient(ids[i], lost[i].group);
    disconnected += lost.size();
  }

  /// The server's log so far. It must not show that anything was lost.
  std::string checkedLog() {
    std::string text = stormo.foreground().errors();
    for (const char* sign : {"begins a new epoch", "events were lost"}) {
      EXPECT_EQ(text.find(sign), text.npos) << text;
    }
    return text;
  }

  pid_t someWorker() {
    const std::vector<pid_t> workers = stormo.pids("worker");
    return workers.at(random() % workers.size());
  }
  pid_t channel() { return stormo.pids("channel").at(0); }

  // Each function causes one fault during traffic.
  void killChannel() { ::kill(channel(), SIGKILL); }
  void stopChannelForAWhile() { stopForAWhile(channel()); }
  void killAll() {
    const std::string port = std::to_string(stormo.port());
    stormo.foreground().signalGroup(SIGKILL);
    stormo.foreground().waitForEnd();
    checkedLog();
    clients().runUntil("the end of all connections", [&] {
      return std::ranges::all_of(
          swarm, [&](const Client& client) { return clients()[client.id].isClosed(); });
    });
    launch(port);
  }
  /// Messages are neither in the log nor delivered until there is room. Then all are.
  void fillDisk() {
    const std::string before = checkedLog();
    const auto hasLine = [&](std::string_view line) {
      return countOf(line, stormo.foreground().errors()) > countOf(line, before);
    };
    {
      const FullDisk disk(channel(), 4096);
      publishUntil("a full disk", [&] { return hasLine(kBlocked); });
      std::uint64_t received = 0;  // what is in the log still arrives
      do {
        received = ledger.receivedCount();
        publishFor(500ms);
      } while (ledger.receivedCount() != received);
      publishFor(1500ms);
      EXPECT_EQ(ledger.receivedCount(), received) << "delivered before it was in the log";
    }
    publishUntil("room on the disk", [&] { return hasLine(kUnblocked); });
    const std::string after = checkedLog();
    EXPECT_EQ(countOf(kBlocked, after), countOf(kBlocked, before) + 1) << after;
    EXPECT_EQ(countOf(kUnblocked, after), countOf(kUnblocked, before) + 1) << after;
  }
  void killWorker() { ::kill(someWorker(), SIGKILL); }
  void stopWorkerForAWhile() { stopForAWhile(someWorker()); }
  void stopForAWhile(pid_t pid) {
    ::kill(pid, SIGSTOP);
    publishFor(3s);
    ::kill(pid, SIGCONT);
  }
  void reload() { EXPECT_EQ(runBesideClients({"reload"}).status, 0); }
  /// Shuts down the Channel's own end of one link: into its process we reach by a copy of its
  /// descriptor.
  void cutLink() {
    const pid_t pid = channel();
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    ASSERT_TRUE(process.valid());
    std::vector<int> sockets = socketsOf(pid);
    std::shuffle(sockets.begin(), sockets.end(), random);
    for (const int socket : sockets) {
      const UniqueFd copy(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), socket, 0)));
      ASSERT_TRUE(copy.valid()) << "pidfd_getfd: " << errno;
      sockaddr_un name{};
      socklen_t size = sizeof name;
      int listens = 0;
      socklen_t listensSize = sizeof listens;
      ::getsockname(copy.get(), reinterpret_cast<sockaddr*>(&name), &size);
      ::getsockopt(copy.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &listensSize);
      if (listens != 0 || !std::string_view(name.sun_path).ends_with("channel.sock")) continue;
      ::shutdown(copy.get(), SHUT_RDWR);
      break;
    }
  }

  const std::size_t seed =
      numberFromEnvironment("STORMO_FAULTS_SEED", static_cast<std::size_t>(std::random_device{}()));
  std::mt19937_64 random;
  std::optional<SlowSubscriber> slowSubscriber;
  std::optional<ReplyProbe> probe;
  std::vector<Client> swarm;
  std::map<Id, DeliveryLedger::Member> members;
  DeliveryLedger ledger;
  std::size_t disconnected = 0;
};

TEST_P(FaultsTest, NoMessageIsLostDuplicatedOrReordered) {
  if (!isServer() && !portsAreFree({1234})) {
    GTEST_SKIP() << "somebody else listens on the port of this program";
  }
  start();
  struct Fault {
    const char* name;
    std::function<void()> happen;
  };
  const Fault faults[] = {
      {"kill -9 the Channel", [this] { killChannel(); }},
      {"cut a link", [this] { cutLink(); }},
      {"stop the Channel for 3 s", [this] { stopChannelForAWhile(); }},
      {"kill -9 all processes, start again", [this] { killAll(); }},
      {"no room on the disk of the log", [this] { fillDisk(); }},
      {"kill -9 a worker", [this] { killWorker(); }},
      {"reload", [this] { reload(); }},
      {"stop a worker for 3 s, its link is cut", [this] { stopWorkerForAWhile(); }},
  };
  const auto end = steady_clock::now() + kDuration;
  std::vector<Fault> order(std::begin(faults), std::end(faults));
  while (steady_clock::now() < end) {
    std::shuffle(order.begin(), order.end(), random);
    for (const Fault& fault : order) {
      if (steady_clock::now() >= end) break;
      publishUndisturbed();
      std::printf("%s\n", fault.name);
      fault.happen();
      publishFor(1s);
      reconnect();
      ASSERT_THAT(ledger.wrong(), IsEmpty()) << "after: " << fault.name;
    }
  }
  publishFor(1s);
  std::vector<std::string> missing;
  clients().runUntil("the last messages, or nothing new",
                     [&, last = std::uint64_t{0}, since = steady_clock::now()]() mutable {
                       missing = ledger.missing();
                       if (ledger.receivedCount() != last) {
                         last = ledger.receivedCount();
                         since = steady_clock::now();
                       }
                       return missing.empty() || steady_clock::now() - since > 15s;
                     });
  EXPECT_THAT(missing, IsEmpty());
  EXPECT_THAT(ledger.wrong(), IsEmpty());
  EXPECT_THAT(ledger.withoutOneOrder(), IsEmpty());
  checkedLog();
  if (probe) {
    std::printf("%zu replies, median %ld us; the slow subscriber read %lu bytes on %zu links\n",
                probe->replyCount(), static_cast<long>(probe->medianTime().count()),
                slowSubscriber->bytesRead(), slowSubscriber->linkCount());
  }
  std::printf("%lu messages received; %zu clients were disconnected with a process\n",
              ledger.receivedCount(), disconnected);
  EXPECT_GT(ledger.receivedCount(), 1000u);
}

INSTANTIATE_TEST_SUITE_P(BothPrograms, FaultsTest, testing::Values("stormo", "groups"),
                         [](const auto& program) { return std::string(program.param); });

}  // namespace
}  // namespace stormo::integration

int main(int argc, char** argv) {
  stormo::integration::enterPrivateNetwork();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
