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
#include <random>

#include "integration/delivery_ledger.h"
#include "integration/fixed_ports.h"
#include "integration/harness/with_stormo.h"

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

std::size_t numberFromEnvironment(const char* name, std::size_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::stoul(value);
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

  void start() {
    if (GetParam() == std::string_view("stormo")) {
      startStormo({"--workers", "4", "--channel-stall-seconds", "2"});
    } else {
      stormo.start();
      meetClients();
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

  static std::string groupName(std::size_t group) { return "group" + std::to_string(group); }

  void addClient(Id id, std::size_t group) {
    const DeliveryLedger::Member member = ledger.join(group);
    members[id] = member;
    swarm.push_back({.id = id, .member = member, .group = group});
  }

  /// Traffic for this time.
  void publishFor(std::chrono::milliseconds duration) {
    const auto end = steady_clock::now() + duration;
    while (steady_clock::now() < end) {
      const auto tick = steady_clock::now() + kTick;
      clients().runUntil("a tick", [&] { return steady_clock::now() >= tick; });
      for (std::size_t i = 0; i < kMessagesPerTick; ++i) {
        const Client& client = swarm[random() % swarm.size()];
        if (!clients()[client.id].isOpen()) continue;
        clients().sendToGroup(client.id, groupName(client.group),
                              ledger.nextMessage(client.member));
      }
    }
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
    for (const Client& client : lost) {
      const Id id = clients().connect();
      clients().join(id, groupName(client.group));
      addClient(id, client.group);
    }
    disconnected += lost.size();
  }

  pid_t someWorker() {
    const std::vector<pid_t> workers = stormo.pids("worker");
    return workers.at(random() % workers.size());
  }
  pid_t channel() { return stormo.pids("channel").at(0); }

  // Each function causes one fault during traffic.
  void killChannel() { ::kill(channel(), SIGKILL); }
  void stopChannelForAWhile() { stopForAWhile(channel()); }
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
  std::vector<Client> swarm;
  std::map<Id, DeliveryLedger::Member> members;
  DeliveryLedger ledger;
  std::size_t disconnected = 0;
};

TEST_P(FaultsTest, NoMessageIsLostDuplicatedOrReordered) {
  if (GetParam() == std::string_view("groups") && !portsAreFree({1234})) {
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
      publishFor(kBetweenFaults);
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
  std::printf("%lu messages received; %zu clients were disconnected with their worker\n",
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
