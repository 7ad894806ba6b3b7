// `stop` and signals that stop.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>

#include "process/probe_runner.h"

namespace stormo::process {
namespace {

using testing::HasSubstr;

const std::string kAnyPort = "tcp://127.0.0.1:0";
const std::string kTenMinutes = "600000";

struct Stop : testing::Test {
  [[nodiscard]] bool isStopping() const {
    return eventually(deadline, [this] {
      const Outcome outcome = probe.run({"status", "--json"});
      return outcome.status == 0 && outcome.output.find("\"stopping\"") != std::string::npos;
    });
  }

  const Deadline deadline;
  ProbeProgram probe{deadline};
};

TEST_F(Stop, EndsEveryProcessBeforeItReturns) {
  const auto program = probe.start();
  std::vector<WatchedProcess> processes;
  for (const pid_t pid : probe.pids()) processes.emplace_back(pid);
  const std::uint16_t port = probe.port();
  EXPECT_EQ(probe.run({"stop"}).status, 0);
  EXPECT_FALSE(ProbeClient::connect(port).connected());
  EXPECT_EQ(program->waitForOwnEnd().status, 0);
  for (const auto& process : processes) EXPECT_TRUE(process.ends(deadline));
}

TEST_F(Stop, CtrlCStopsTheWholeProcessGroupInOrder) {
  const auto program = probe.start();
  program->signalGroup(SIGINT);
  EXPECT_EQ(program->waitForOwnEnd().status, 0);
  EXPECT_THAT(program->errors(), testing::Not(HasSubstr("ended unexpectedly")));
  EXPECT_THAT(program->errors(), testing::Not(HasSubstr("the master has ended")));
}

TEST_F(Stop, AChildIgnoresStopSignalsSentToTheWholeGroup) {
  const auto program = probe.start();
  const auto before = probe.pids();
  for (const int number : {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2}) {
    for (std::size_t i = 1; i < before.size(); ++i) ::kill(before[i], number);
  }
  EXPECT_NE(ProbeClient::connect(probe.port()).ask().pid, 0);
  EXPECT_EQ(probe.pids(), before);
}

TEST_F(Stop, AChildThatDoesNotStopIsKilledAndLogged) {
  const auto program =
      probe.start({"--listen", kAnyPort, "--ignore-stop", "--stop-timeout-ms", "50"});
  EXPECT_EQ(probe.run({"stop"}).status, 0);
  EXPECT_EQ(program->waitForOwnEnd().status, 0);
  EXPECT_THAT(program->errors(),
              HasSubstr("did not stop in time and was killed worker=\"worker probe/1\""));
}

TEST_F(Stop, ASecondCtrlCKillsAllProcesses) {
  const auto program =
      probe.start({"--listen", kAnyPort, "--ignore-stop", "--stop-timeout-ms", kTenMinutes});
  program->signalGroup(SIGINT);
  ASSERT_TRUE(isStopping());
  program->signalGroup(SIGINT);
  EXPECT_EQ(program->waitForOwnEnd().status, 0);
}

TEST_F(Stop, GracefulStopWaitsForClientsAndRefusesNewOnes) {
  const auto program = probe.start();
  const std::uint16_t port = probe.port();
  const auto stop = [&] {
    const ProbeClient client = ProbeClient::connect(port);
    EXPECT_NE(client.ask().pid, 0);
    auto stopping = probe.spawn({"stop", "-g"});
    EXPECT_TRUE(isStopping());
    EXPECT_TRUE(eventually(deadline, [&] { return !ProbeClient::connect(port).connected(); }));
    EXPECT_NE(client.ask().pid, 0);  // still served
    return stopping;
  }();
  EXPECT_EQ(stop->waitForOwnEnd().status, 0);
  EXPECT_EQ(program->waitForOwnEnd().status, 0);
}

TEST_F(Stop, GracefulStopEndsAtItsTimeoutWithClients) {
  const auto program = probe.start();
  const ProbeClient client = ProbeClient::connect(probe.port());
  EXPECT_NE(client.ask().pid, 0);
  EXPECT_EQ(probe.run({"stop", "-g", "--timeout", "0.05"}).status, 0);
  EXPECT_EQ(program->waitForOwnEnd().status, 0);
}

TEST_F(Stop, AStopReplacesAGracefulStop) {
  const auto program = probe.start();
  const ProbeClient client = ProbeClient::connect(probe.port());
  EXPECT_NE(client.ask().pid, 0);
  program->signal(SIGQUIT);
  ASSERT_TRUE(isStopping());
  EXPECT_EQ(probe.run({"stop"}).status, 0);
  EXPECT_EQ(program->waitForOwnEnd().status, 0);
}

TEST_F(Stop, StopWorksDuringTheStart) {
  const auto start =
      probe.spawn({"start", "--listen", kAnyPort, "--hang-in-main", "--stop-timeout-ms", "50"});
  ASSERT_TRUE(eventually(deadline, [&] {
    const Outcome outcome = probe.run({"status", "--json"});
    return outcome.output.find("\"starting\"") != std::string::npos;
  }));
  EXPECT_EQ(probe.run({"stop"}).status, 0);
  EXPECT_EQ(start->waitForOwnEnd().status, 1);
  EXPECT_THAT(start->errors(), HasSubstr("probe: stopped before all processes had started\n"));
}

TEST_F(Stop, ChildrenOfAKilledMasterStopCleanly) {
  const auto program =
      probe.start({"--listen", kAnyPort, "--count", "1", "--stop-mark", probe.path("stopped")});
  std::vector<WatchedProcess> processes;
  for (const pid_t pid : probe.pids()) processes.emplace_back(pid);
  program->signal(SIGKILL);
  for (const auto& process : processes) EXPECT_TRUE(process.ends(deadline));
  EXPECT_EQ(::access(probe.path("stopped").c_str(), F_OK), 0);
}

TEST_F(Stop, AHangingChildOfAKilledMasterExits) {
  const auto program = probe.start({"--listen", kAnyPort, "--count", "1", "--ignore-stop"});
  std::vector<WatchedProcess> processes;
  for (const pid_t pid : probe.pids()) processes.emplace_back(pid);
  program->signal(SIGKILL);
  for (const auto& process : processes) EXPECT_TRUE(process.ends(deadline));
}

/// The pids whose parent is `parent`, zombies too.
std::set<pid_t> childrenOf(pid_t parent) {
  std::set<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "stat");
    std::string text;
    if (!std::getline(file, text)) continue;
    long ppid = 0;
    char state = 0;
    if (std::sscanf(text.c_str() + text.rfind(')') + 1, " %c %ld", &state, &ppid) == 2 &&
        ppid == parent) {
      children.insert(std::atoi(entry.path().filename().c_str()));
    }
  }
  return children;
}

struct AsPid1 : Stop {
  static bool canUnshare() {
    return std::system("unshare -Urpf --mount-proc true 2>/dev/null") == 0;
  }

  std::unique_ptr<SpawnedProgram> startInNamespace() {
    auto program = std::make_unique<SpawnedProgram>(
        deadline, Words{"unshare", "-Urpf", "--mount-proc", STORMO_BIN_DIR "/process_probe",
                        "--runtime-dir", probe.path("."), "start", "--listen", kAnyPort});
    program->waitForOutput("Start success.");
    return program;
  }
};

TEST_F(AsPid1, StopsOnSigtermAndReapsOrphans) {
  if (!canUnshare()) GTEST_SKIP() << "no pid namespaces here";
  const auto unshare = startInNamespace();
  const auto masters = childrenOf(unshare->pid());
  ASSERT_EQ(masters.size(), 1u);
  const pid_t master = *masters.begin();
  EXPECT_EQ(probe.status().at("pid"), 1);  // in its own pid namespace

  const auto before = childrenOf(master);
  EXPECT_NE(ProbeClient::connect(probe.port()).ask('o').pid, 0);
  std::set<pid_t> more;
  ASSERT_TRUE(eventually(deadline, [&] {
    more = childrenOf(master);
    return more.size() == before.size() + 1;
  }));
  for (const pid_t known : before) more.erase(known);
  ::kill(*more.begin(), SIGKILL);
  EXPECT_TRUE(eventually(deadline, [&] { return childrenOf(master) == before; }));

  ::kill(master, SIGTERM);
  EXPECT_EQ(unshare->waitForOwnEnd().status, 0);
}

}  // namespace
}  // namespace stormo::process
