// `start`: its checks, its files and its messages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stormo/version.h>
#include <unistd.h>

#include <csignal>

#include "process/start_fixture.h"
#include "sys/sockets.h"

namespace stormo::process {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

TEST_F(Start, PrintsTheStartScreenWhenWorkersAccept) {
  const auto program = probe.start();
  const ProbeClient client = ProbeClient::connect(probe.port());
  EXPECT_NE(client.ask().pid, 0);
  EXPECT_THAT(program->output(), ContainsRegex("\n[a-z]+ +ProbeChannel +none +1 +\\[OK\\]\n"));
  EXPECT_THAT(
      program->output(),
      ContainsRegex("probe +tcp://127.0.0.1:" + std::to_string(probe.port()) + " +2 +\\[OK\\]\n"));
  EXPECT_THAT(program->output(), HasSubstr("\nPress Ctrl-C to quit. Start success.\n"));
  program->signal(SIGTERM);
  EXPECT_EQ(program->waitForOwnEnd().status, 0);
  expectNothingRuns();
}

TEST_F(Start, ASecondStartReportsTheRunningInstance) {
  const auto program = probe.start();
  for (const Words& command :
       {Words{"start", "--listen", kAnyPort}, Words{"start", "-d", "--listen", kAnyPort}}) {
    const Outcome second = probe.run(command);
    EXPECT_EQ(second.status, 1);
    EXPECT_EQ(second.errors, "probe: already running (pid " + std::to_string(program->pid()) +
                                 ", instance 'probe' in " + folder() + "), see '" + commandLine() +
                                 " status'\n");
  }
  EXPECT_NE(ProbeClient::connect(probe.port()).ask().pid, 0);
}

TEST_F(Start, TwoInstancesRunAtOnce) {
  const auto program = probe.start();
  EXPECT_EQ(probe.run({"--instance", "second", "start", "-d", "--listen", kAnyPort}).status, 0);
  EXPECT_EQ(probe.run({"stop", "--instance", "second"}).status, 0);  // on both sides of the command
  EXPECT_EQ(probe.workers().size(), 2u);
}

TEST_F(Start, APortInUseFailsTheStartBeforeAnythingRuns) {
  const auto foreign = listenOn(Address::ip("127.0.0.1", 0).value(), {.reusePort = true});
  const std::string url =
      "tcp://127.0.0.1:" + std::to_string(localAddress(foreign.value().get()).port());
  for (const Words& command :
       {Words{"start", "--listen", url}, Words{"start", "-d", "--listen", url}}) {
    const Outcome outcome = probe.run(command);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.errors, "probe: cannot listen on " + url +
                                  ": address already in use (by a process that does not belong to "
                                  "instance 'probe' in " +
                                  folder() + ": 'ss -ltnp' shows it)\n");
    EXPECT_EQ(outcome.output, "");
  }
  expectNothingRuns();
}

TEST_F(Start, AWorkerThatCannotStartFailsTheStartWithItsReason) {
  touch(probe.path("fail"));
  const Words options = {"--listen", kAnyPort, "--fail-while", probe.path("fail")};
  for (Words command : {Words{"start"}, Words{"start", "-d"}}) {
    command.insert(command.end(), options.begin(), options.end());
    const Outcome outcome = probe.run(command);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.errors, HasSubstr("probe: worker 'probe' cannot start: asked to fail\n"));
    EXPECT_EQ(outcome.output, "");
    expectNothingRuns();
  }
}

TEST_F(Start, AllWorkersAcceptFromOneUnixSocket) {
  const auto program = probe.start({"--listen", "unix://" + probe.path("s")});
  EXPECT_NE(ProbeClient::connectUnix(probe.path("s")).ask().pid, 0);
  program->signal(SIGTERM);
  EXPECT_EQ(program->waitForOwnEnd().status, 0);
  EXPECT_NE(::access(probe.path("s").c_str(), F_OK), 0);
}

TEST_F(Start, WorkersRunAsTheirUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may change user";
  const auto program = probe.start({"--listen", kAnyPort, "--user", "nobody"});
  const auto answer = ProbeClient::connect(probe.port()).ask();
  EXPECT_NE(answer.user, 0);
  EXPECT_NE(answer.user, -1);
}

TEST_F(Start, AnUnknownUserFailsTheStartBeforeAnythingRuns) {
  const Outcome outcome = probe.run({"start", "--user", "no-such-user", "--listen", kAnyPort});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.errors,
            "probe: cannot run as user 'no-such-user': no such user (worker 'probe')\n");
}

TEST_F(Start, StartAfterAKilledMasterWaitsForItsChildren) {
  const auto first = probe.start();
  const std::string url = "tcp://127.0.0.1:" + std::to_string(probe.port());
  first->signal(SIGKILL);
  ASSERT_EQ(first->waitForOwnEnd().status,
            128 + SIGKILL);  // the kill takes effect after kill(2) returns
  const auto second = probe.start({"--listen", url});
  EXPECT_NE(ProbeClient::connect(probe.port()).ask().pid, 0);
}

TEST_F(Start, HintsRepeatInstanceAndRuntimeDirectory) {
  const Outcome started =
      probe.run({"--instance", "second one", "start", "-d", "--listen", kAnyPort});
  const std::string line = "probe --instance 'second one' --runtime-dir " + folder();
  EXPECT_THAT(started.output, HasSubstr("Input \"" + line + " stop\" to stop."));
  const Outcome again = probe.run({"--instance", "second one", "start", "--listen", kAnyPort});
  EXPECT_THAT(again.errors, HasSubstr("see '" + line + " status'"));
  EXPECT_EQ(probe.run({"--instance", "second one", "stop"}).status, 0);
}

TEST_F(Start, TwoWorkersWithTheSamePortAreBothReported) {
  const auto foreign = listenOn(Address::ip("127.0.0.1", 0).value(), {.reusePort = true});
  const std::string port = std::to_string(localAddress(foreign.value().get()).port());
  const Outcome outcome = probe.run(
      {"start", "--listen", "tcp://127.0.0.1:" + port, "--listen", "tcp://0.0.0.0:" + port});
  EXPECT_EQ(outcome.errors, "probe: cannot listen on tcp://0.0.0.0:" + port +
                                ": worker 'probe' of this program listens on tcp://127.0.0.1:" +
                                port + " (give each its own port)\n");
}

TEST_F(Start, FailsWithTheReasonWhenAWorkerHasNoLinkToItsChannel) {
  for (Words command : {Words{"start"}, Words{"start", "-d"}}) {
    command.insert(command.end(),
                   {"--listen", kAnyPort, "--await-for-ever", "--linked-within-ms", "20"});
    const Outcome outcome = probe.run(command);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.errors, HasSubstr("probe: worker 'probe' has no link to its Channel\n"));
    expectNothingRuns();
  }
}

TEST_F(Start, UnknownWordsAreOneLineAndStatus2) {
  struct Case {
    Words words;
    std::string errors;
  };
  for (const auto& [words, errors] : {
           Case{{"strat"},
                "probe: unknown command 'strat', did you mean 'start'? (see 'probe --help')\n"},
           Case{{"publish"}, "probe: unknown command 'publish' (see 'probe --help')\n"},
           Case{{"status", "--jsno"},
                "probe: unknown option '--jsno', did you mean '--json'? (see 'probe --help')\n"},
           Case{{"stop", "start"},
                "probe: give one command, not also 'start' (see 'probe --help')\n"},
           Case{{"stop", "--timeout", "3"},
                "probe: --timeout requires --graceful (see 'probe --help')\n"},
       }) {
    const Outcome outcome = probe.run(words);
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(outcome.errors, errors);
    EXPECT_EQ(outcome.output, "");
  }
}

TEST_F(Start, HelpAndVersionSucceedAndNoCommandIsAnError) {
  const Outcome help = probe.run({"--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* command :
       {"start", "stop", "restart", "reload", "status", "connections", "nodes"}) {
    EXPECT_THAT(help.output, HasSubstr(std::string("\n  ") + command + " "));
  }
  EXPECT_EQ(probe.run({"--version"}).output, "probe (Stormo " STORMO_VERSION ")\n");
  const Outcome nothing = probe.run({});
  EXPECT_EQ(nothing.status, 2);
  EXPECT_THAT(nothing.errors, HasSubstr("Usage: probe"));
}

TEST_F(Start, CommandsReportThatNoMasterRuns) {
  for (const char* command : {"stop", "reload", "status", "connections", "nodes"}) {
    const Outcome outcome = probe.run({command});
    EXPECT_EQ(outcome.status, 1) << command;
    EXPECT_EQ(outcome.errors, notRunning()) << command;
  }
}

}  // namespace
}  // namespace stormo::process
