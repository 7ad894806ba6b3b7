// Supervision of running workers: exits, hangs, reloads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "process/probe_runner.h"

namespace stormo::process {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string kAnyPort = "tcp://127.0.0.1:0";

struct Supervision : testing::Test {
  /// A connection that slot `slot` has accepted.
  [[nodiscard]] ProbeClient clientOf(int slot) const {
    const std::uint16_t port = probe.port();
    for (int attempt = 0; attempt < 200; ++attempt) {
      ProbeClient client = ProbeClient::connect(port);
      if (client.ask().slot == slot) return client;
    }
    throw std::runtime_error("the kernel gives no client to that slot");
  }

  [[nodiscard]] pid_t pidOf(int slot) const { return probe.worker(slot).at("pid"); }

  static bool isIdle(const json& row) { return row.at("status") == "idle"; }

  const Deadline deadline;
  ProbeProgram probe{deadline};
};

TEST_F(Supervision, AKilledWorkerIsRestartedInItsSlot) {
  const auto program = probe.start();
  const pid_t before = pidOf(1);
  ::kill(before, SIGKILL);
  ASSERT_TRUE(probe.workerBecomes(
      1, [&](const json& row) { return isIdle(row) && row.at("pid") != before; }));
  const json row = probe.worker(1);
  EXPECT_EQ(row.at("restarts"), 1);
  EXPECT_EQ(row.at("exit_status"), 128 + SIGKILL);
  EXPECT_EQ(row.at("reloads"), 0);
  EXPECT_EQ(probe.worker(0).at("restarts"), 0);
  EXPECT_EQ(probe.worker(0).at("exit_status"), nullptr);
}

TEST_F(Supervision, TheExitStatusOfAnUnexpectedExitIsKept) {
  const auto program = probe.start({"--listen", kAnyPort, "--count", "1"});
  ProbeClient::connect(probe.port()).send('e');
  EXPECT_TRUE(probe.workerBecomes(0, [](const json& row) { return row.at("exit_status") == 7; }));
}

TEST_F(Supervision, CountersOfEndedWorkersAreKeptInTheirSlot) {
  const auto program = probe.start({"--listen", kAnyPort, "--count", "1"});
  EXPECT_NE(ProbeClient::connect(probe.port()).ask().pid, 0);
  EXPECT_NE(ProbeClient::connect(probe.port()).ask().pid, 0);
  ::kill(pidOf(0), SIGKILL);
  EXPECT_NE(ProbeClient::connect(probe.port()).ask().pid, 0);
  const json row = probe.worker(0);
  EXPECT_EQ(row.at("messages_in"), 3);
  EXPECT_EQ(row.at("connections_total"), 3);
  EXPECT_LE(row.at("connections"), 1);
}

TEST_F(Supervision, ASiblingAcceptsForAWorkerThatCannotRestart) {
  const auto program = probe.start({"--listen", kAnyPort, "--fail-while", probe.path("fail")});
  touch(probe.path("fail"));
  const pid_t sibling = pidOf(0);
  const std::uint16_t port = probe.port();
  ::kill(pidOf(1), SIGKILL);
  std::vector<ProbeClient> earlier;
  for (int i = 0; i < 40; ++i) {
    earlier.push_back(ProbeClient::connect(port));
    ASSERT_TRUE(earlier.back().connected()) << i;
  }
  ASSERT_TRUE(probe.workerBecomes(1, [](const json& row) { return row.at("restarts") >= 2; }));
  for (int i = 0; i < 40; ++i) {
    const ProbeClient client = ProbeClient::connect(port);
    ASSERT_TRUE(client.connected()) << i;
    ASSERT_EQ(client.ask().pid, sibling) << i;
  }
  ::unlink(probe.path("fail").c_str());
  ASSERT_TRUE(probe.workerBecomes(1, isIdle));
  EXPECT_EQ(clientOf(1).ask().slot, 1);  // its sibling no longer accepts for it
}

TEST_F(Supervision, WithoutASiblingClientsWaitInTheKernelForTheRestart) {
  const auto program =
      probe.start({"--listen", kAnyPort, "--count", "1", "--fail-while", probe.path("fail")});
  const std::uint16_t port = probe.port();
  touch(probe.path("fail"));
  ::kill(pidOf(0), SIGKILL);
  ASSERT_TRUE(probe.workerBecomes(0, [](const json& row) { return row.at("restarts") >= 2; }));
  const ProbeClient client = ProbeClient::connect(port);
  ASSERT_TRUE(client.connected());
  client.send('x');
  ::unlink(probe.path("fail").c_str());
  EXPECT_NE(client.receive(), "");
}

TEST_F(Supervision, ACrashLoopIsSlowedDownAndDoesNotAffectOtherWorkers) {
  const auto program = probe.start({"--listen", kAnyPort, "--die-while", probe.path("die")});
  touch(probe.path("die"));
  const pid_t sibling = pidOf(0);
  ::kill(pidOf(1), SIGKILL);
  EXPECT_TRUE(probe.workerBecomes(1, [](const json& row) {
    return row.at("restarts") >= 4 && row.at("status") == "backoff" && row.at("pid") == 0;
  }));
  EXPECT_EQ(pidOf(0), sibling);
  EXPECT_THAT(probe.run({"status"}).output, HasSubstr("[backoff]"));
  ::unlink(probe.path("die").c_str());
  EXPECT_TRUE(probe.workerBecomes(1, isIdle));
}

TEST_F(Supervision, AChannelThatEndsIsRestarted) {
  const auto program = probe.start();
  ::kill(probe.pids().at(1), SIGKILL);
  EXPECT_TRUE(eventually(deadline, [&] {
    const json channel = probe.status().at("processes").at(1);
    return channel.at("restarts") == 1 && isIdle(channel);
  }));
}

TEST_F(Supervision, AHangingWorkerIsLoggedAndCoveredUntilItRecovers) {
  ASSERT_EQ(probe
                .run({"start", "-d", "--listen", kAnyPort, "--alive-every-ms", "20",
                      "--silent-after-ms", "60", "--hang-while", probe.path("hang")})
                .status,
            0);
  touch(probe.path("hang"));
  const ProbeClient hanging = clientOf(1);
  hanging.send('p');
  EXPECT_TRUE(eventually(deadline, [&] {
    return probe.log().find("a child does not answer worker=\"worker probe/1\"") !=
           std::string::npos;
  }));
  EXPECT_EQ(probe.worker(1).at("status"), "busy");
  const std::uint16_t port = probe.port();
  for (int i = 0; i < 40; ++i) EXPECT_EQ(ProbeClient::connect(port).ask().slot, 0);
  ::unlink(probe.path("hang").c_str());
  EXPECT_TRUE(eventually(deadline, [&] {
    return probe.log().find("a child answers again worker=\"worker probe/1\"") != std::string::npos;
  }));
  EXPECT_NE(hanging.receive(), "");
  EXPECT_EQ(clientOf(1).ask().slot, 1);
}

TEST_F(Supervision, AHangingWorkerIsKilledAndReplaced) {
  const auto program = probe.start({"--listen", kAnyPort, "--alive-every-ms", "20",
                                    "--silent-after-ms", "60", "--hang-timeout-ms", "200"});
  const pid_t before = pidOf(1);
  ::kill(before, SIGSTOP);
  ASSERT_TRUE(probe.workerBecomes(
      1, [&](const json& row) { return isIdle(row) && row.at("pid") != before; }));
  EXPECT_EQ(probe.worker(1).at("restarts"), 1);
  EXPECT_EQ(probe.worker(1).at("exit_status"), 128 + SIGKILL);
  EXPECT_EQ(probe.worker(0).at("restarts"), 0);
  EXPECT_THAT(program->errors(), HasSubstr("why=\"killed, as it did not answer for 0.2 s\""));
}

TEST_F(Supervision, ReloadReplacesEveryWorkerAndNoClientIsRefusedOrLost) {
  const auto program = probe.start();
  const auto before = probe.pids();
  const std::uint16_t port = probe.port();
  std::atomic<bool> done = false;
  std::atomic<int> answered = 0;
  std::atomic<int> lost = 0;
  std::thread clients([&] {
    while (!done) (ProbeClient::connect(port).ask().pid != 0 ? answered : lost)++;
  });
  for (int round = 0; round < 3; ++round) {
    const Outcome reload = probe.run({"reload", "-g"});
    EXPECT_EQ(reload.status, 0) << reload.errors;
  }
  const int answeredByThen = answered;
  EXPECT_TRUE(eventually(deadline, [&] { return answered > answeredByThen + 20; }));
  done = true;
  clients.join();
  EXPECT_EQ(lost, 0);
  const auto after = probe.pids();
  EXPECT_EQ(after.at(0), before.at(0));  // the master
  EXPECT_EQ(after.at(1), before.at(1));  // and the channel
  for (std::size_t i = 2; i < after.size(); ++i) EXPECT_NE(after[i], before.at(i));
  for (const json& row : probe.workers()) {
    EXPECT_EQ(row.at("reloads"), 3);
    EXPECT_EQ(row.at("restarts"), 0);
    EXPECT_EQ(row.at("exit_status"), nullptr);
  }
}

TEST_F(Supervision, Sigusr1ReloadsAndSighupWithoutATerminalReplacesNoWorker) {
  const auto program = probe.start();
  program->signal(SIGHUP);  // there are no certificates to read again
  program->signal(SIGUSR1);
  for (const int slot : {0, 1}) {
    ASSERT_TRUE(probe.workerBecomes(
        slot, [&](const json& row) { return isIdle(row) && row.at("reloads") == 1; }));
  }
  EXPECT_THAT(program->errors(), HasSubstr("no address of this program uses TLS"));
}

TEST_F(Supervision, ReloadKillsAHangingWorkerAtTheTimeout) {
  const auto program = probe.start();
  const pid_t before = pidOf(1);
  clientOf(1).send('h');
  EXPECT_EQ(probe.run({"reload", "--timeout", "0.05"}).status, 0);
  EXPECT_NE(pidOf(1), before);
  EXPECT_TRUE(isIdle(probe.worker(1)));
}

TEST_F(Supervision, AReloadWhoseWorkersDoNotStartLeavesTheOldOnes) {
  const auto program = probe.start({"--listen", kAnyPort, "--fail-while", probe.path("fail")});
  touch(probe.path("fail"));
  const auto before = probe.pids();
  const Outcome reload = probe.run({"reload"});
  EXPECT_EQ(reload.status, 1);
  EXPECT_EQ(reload.errors,
            "probe: worker probe/0 does not start: asked to fail (the old workers go on)\n");
  EXPECT_EQ(probe.pids(), before);
  EXPECT_EQ(probe.worker(0).at("restarts"), 0);
  EXPECT_NE(ProbeClient::connect(probe.port()).ask().pid, 0);
  ::unlink(probe.path("fail").c_str());
  EXPECT_EQ(probe.run({"reload"}).status, 0);
  EXPECT_EQ(probe.worker(0).at("reloads"), 1);
}

TEST_F(Supervision, ALaterReloadReplacesTheEarlierAndAStopEndsIt) {
  const auto program = probe.start({"--listen", kAnyPort, "--stop-timeout-ms", "50"});
  clientOf(0).send('h');
  const auto first = probe.spawn({"reload", "-g", "--timeout", "600"});
  ASSERT_TRUE(probe.aWorkerIsStopping());
  ProbeClient stays = ProbeClient::connect(probe.port());
  ASSERT_NE(stays.ask().pid, 0);  // the next reload waits for it
  const auto second = probe.spawn({"reload", "-g", "--timeout", "500"});
  EXPECT_EQ(first->waitForOwnEnd().status, 1);
  EXPECT_EQ(first->errors(), "probe: replaced by a later reload\n");
  EXPECT_EQ(probe.run({"stop"}).status, 0);
  EXPECT_EQ(second->waitForOwnEnd().status, 1);
  EXPECT_EQ(second->errors(), "probe: the program was stopped\n");
  EXPECT_EQ(program->waitForOwnEnd().status, 0);
}

}  // namespace
}  // namespace stormo::process
