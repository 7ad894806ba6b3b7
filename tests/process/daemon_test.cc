// A daemon: its descriptors, its directory, its log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <functional>
#include <set>
#include <sstream>

#include "process/start_fixture.h"

namespace stormo::process {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

using Daemon = Start;

TEST_F(Daemon, StartReturnsWhenAllProcessesRunAndLogsToItsFile) {
  const Outcome started = probe.run({"start", "-d", "--listen", kAnyPort});
  EXPECT_EQ(started.status, 0) << started.errors;
  EXPECT_THAT(started.output,
              HasSubstr("\nInput \"" + commandLine() + " stop\" to stop. Start success.\n"));
  EXPECT_NE(ProbeClient::connect(probe.port()).ask().pid, 0);
  EXPECT_THAT(probe.log(), HasSubstr("started program=probe"));
  for (const pid_t pid : probe.pids()) EXPECT_NE(::getsid(pid), ::getsid(0));
  EXPECT_EQ(probe.run({"stop"}).status, 0);
  expectNothingRuns();
}

/// Runs a command in a shell, which may close and open descriptors first.
Outcome shell(const Deadline& deadline, const ProbeProgram& probe, const std::string& redirections,
              const Words& arguments) {
  std::string line = STORMO_BIN_DIR "/process_probe --runtime-dir " + probe.path("");
  for (const std::string& word : arguments) line += " " + word;
  return SpawnedProgram(deadline, {"bash", "-c", line + " " + redirections}).waitForOwnEnd();
}

TEST_F(Daemon, ClosedStandardDescriptorsAreNotReusedForFilesOrSockets) {
  for (const char* closed : {"<&-", ">&-", "2>&-", "<&- >&- 2>&-"}) {
    const Outcome started = shell(deadline, probe, closed, {"start", "-d", "--listen", kAnyPort});
    EXPECT_EQ(started.status, 0) << closed << started.errors;
    const ProbeClient client = ProbeClient::connect(probe.port());
    const pid_t master = probe.pids().front();
    EXPECT_EQ(contentOf(probe.path("probe/lock")), std::to_string(master) + "\n") << closed;
    EXPECT_EQ(client.ask().slot / 2, 0) << closed;
    EXPECT_EQ(probe.run({"stop"}).status, 0) << closed;
  }
}

TEST_F(Daemon, InTheForegroundClosedStandardDescriptorsAreNotReused) {
  Words line = {"bash", "-c",
                "exec " STORMO_BIN_DIR "/process_probe --runtime-dir " + probe.path("") +
                    " start --listen " + kAnyPort + " <&- >&- 2>&-"};
  SpawnedProgram program(deadline, line);
  ASSERT_TRUE(eventually(deadline, [&] { return probe.run({"status"}).status == 0; }));
  for (const int slot : {0, 1}) {
    EXPECT_TRUE(probe.workerBecomes(
        slot, [](const nlohmann::json& row) { return row.at("status") == "idle"; }));
  }
  EXPECT_EQ(contentOf(probe.path("probe/lock")), std::to_string(program.pid()) + "\n");
  program.signal(SIGTERM);
  EXPECT_EQ(program.waitForOwnEnd().status, 0);
}

TEST_F(Daemon, CommandsThatPrintFailWhenTheirOutputCannotBeWritten) {
  const auto program = probe.start();
  for (const Words& command : {Words{"status"}, Words{"status", "--json"}, Words{"connections"},
                               Words{"--help"}, Words{"--version"}}) {
    for (const char* to : {">/dev/full", ">&-"}) {
      const Outcome outcome = shell(deadline, probe, to, command);
      EXPECT_EQ(outcome.status, 1) << command[0] << to;
      EXPECT_THAT(outcome.errors,
                  testing::MatchesRegex("probe: cannot write to stdout: [a-z ]+\n"));
    }
  }
}

TEST_F(Daemon, LeavesTheDirectoryAndDescriptorsOfItsStarter) {
  const std::string held = probe.path("held");
  const Outcome started =
      shell(deadline, probe, "9>" + held + " 10</dev/null", {"start", "-d", "--listen", kAnyPort});
  EXPECT_EQ(started.status, 0) << started.errors;
  for (const pid_t pid : probe.pids()) {
    const std::string process = "/proc/" + std::to_string(pid);
    EXPECT_EQ(std::filesystem::read_symlink(process + "/cwd"), "/");
    for (const auto& entry : std::filesystem::directory_iterator(process + "/fd")) {
      EXPECT_NE(std::filesystem::read_symlink(entry.path()), held) << pid;
    }
  }
  EXPECT_EQ(probe.run({"stop"}).status, 0);
}

TEST_F(Daemon, StdoutStderrAndUncaughtExceptionsGoToTheLog) {
  EXPECT_EQ(probe.run({"start", "-d", "--listen", kAnyPort}).status, 0);
  const auto client = ProbeClient::connect(probe.port());
  EXPECT_NE(client.ask('w').pid, 0);  // prints to both streams
  EXPECT_THAT(probe.log(), HasSubstr("printed to stdout\n"));
  EXPECT_THAT(probe.log(), HasSubstr("printed to stderr\n"));
  client.send('t');  // an uncaught exception ends it
  EXPECT_EQ(client.receive(), "");
  ASSERT_TRUE(eventually(deadline, [&] {
    return probe.log().find("what():  last words") != std::string::npos;
  })) << probe.log();
  EXPECT_EQ(probe.run({"stop"}).status, 0);
}

TEST_F(Daemon, InTheForegroundStdoutAndStderrDoNotGoToTheLog) {
  const std::string log = probe.path("my.log");
  const auto program = probe.start({"--listen", kAnyPort, "--log", log});
  EXPECT_NE(ProbeClient::connect(probe.port()).ask('w').pid, 0);
  EXPECT_EQ(probe.run({"reopen-log"}).status, 0);
  EXPECT_NE(ProbeClient::connect(probe.port()).ask('w').pid, 0);
  EXPECT_EQ(probe.run({"stop"}).status, 0);
  const Outcome outcome = program->waitForOwnEnd();
  EXPECT_THAT(outcome.output, ContainsRegex("printed to stdout\n(.*\n)*printed to stdout\n"));
  EXPECT_THAT(outcome.errors, HasSubstr("printed to stderr\nprinted to stderr\n"));
  EXPECT_THAT(contentOf(log), testing::Not(HasSubstr("printed")));
}

TEST_F(Daemon, OptionsSetTheLogLevelAndFormat) {
  EXPECT_EQ(probe.run({"start", "-d", "--listen", kAnyPort, "--log-level", "warning"}).status, 0);
  EXPECT_EQ(probe.run({"stop"}).status, 0);
  EXPECT_EQ(probe.log(), "");
  EXPECT_EQ(probe.run({"start", "-d", "--listen", kAnyPort, "--log-format", "json"}).status, 0);
  EXPECT_EQ(probe.run({"stop"}).status, 0);
  const auto first = nlohmann::json::parse(probe.log().substr(0, probe.log().find('\n')));
  EXPECT_EQ(first.at("level"), "info");
  EXPECT_EQ(first.at("role"), "master");
  EXPECT_EQ(first.at("message"), "started");
  EXPECT_EQ(first.at("program"), "probe");
  EXPECT_GT(first.at("pid"), 0);
  for (const Words& wrong : {Words{"--log-level", "loud"}, Words{"--log-format", "xml"}}) {
    const Outcome outcome = probe.run({"start", wrong[0], wrong[1]});
    EXPECT_EQ(outcome.status, 2);
    EXPECT_THAT(outcome.errors, HasSubstr(wrong[0] + ": " + wrong[1] + " not in {"));
  }
}

/// The roles of the lines "reopened the log".
std::set<std::string> rolesThatReopened(const std::string& log) {
  std::set<std::string> roles;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    if (!line.ends_with(" reopened the log")) continue;
    const std::size_t role = line.find("role=") + 5;
    roles.insert(line.substr(role, line.rfind(" reopened") - role));
  }
  return roles;
}

TEST_F(Daemon, AfterLogRotationAllProcessesWriteToTheNewFile) {
  const std::set<std::string> all = {"master", "channel", "\"worker probe/0\"",
                                     "\"worker probe/1\""};
  EXPECT_EQ(probe.run({"start", "-d", "--listen", kAnyPort, "--log-level", "debug"}).status, 0);
  const pid_t master = probe.pids().front();
  const auto rotate = [&](const char* to, const std::function<void()>& order) {
    std::filesystem::rename(probe.path("probe/log"), probe.path(to));
    order();
    EXPECT_TRUE(eventually(deadline, [&] { return rolesThatReopened(probe.log()) == all; }))
        << probe.log();
  };
  rotate("log.1", [&] { ::kill(master, SIGUSR2); });
  rotate("log.2", [&] { EXPECT_EQ(probe.run({"reopen-log"}).status, 0); });
  // Printed lines go there too.
  EXPECT_NE(ProbeClient::connect(probe.port()).ask('w').pid, 0);
  EXPECT_THAT(probe.log(), HasSubstr("printed to stderr\n"));
  EXPECT_EQ(contentOf(probe.path("log.2")).find("printed"), std::string::npos);
  EXPECT_EQ(probe.run({"stop"}).status, 0);
}

TEST_F(Daemon, AfterLogRotationWorkersOfAnotherUserWriteToTheNewFile) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may change user";
  EXPECT_EQ(
      probe.run({"start", "-d", "--listen", kAnyPort, "--log-level", "debug", "--user", "nobody"})
          .status,
      0);
  std::filesystem::rename(probe.path("probe/log"), probe.path("log.1"));
  EXPECT_EQ(probe.run({"reopen-log"}).status, 0);
  EXPECT_TRUE(eventually(deadline, [&] { return rolesThatReopened(probe.log()).size() == 4; }))
      << probe.log();
  EXPECT_EQ(probe.run({"stop"}).status, 0);
}

TEST_F(Daemon, ReopenLogFailsWhenTheLogGoesToStderr) {
  const auto program = probe.start();
  const Outcome outcome = probe.run({"reopen-log"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.errors, "probe: the log goes to stderr, not to a file\n");
  program->signal(SIGUSR2);
  EXPECT_NE(ProbeClient::connect(probe.port()).ask().pid, 0);
}

TEST_F(Daemon, WithFewDescriptorsStartFailsWithOneLineOrSucceeds) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer opens descriptors of its own to look at objects";
#endif
  bool worked = false;
  for (int limit = 3; limit <= 30; ++limit) {
    const std::string ulimit = "ulimit -n " + std::to_string(limit) + "; exec ";
    const Outcome outcome =
        SpawnedProgram(deadline, {"bash", "-c",
                                  ulimit + STORMO_BIN_DIR "/process_probe --runtime-dir " +
                                      probe.path("") + " start -d --listen " + kAnyPort})
            .waitForOwnEnd();
    if (outcome.status == 0) {
      worked = true;
      EXPECT_EQ(probe.run({"stop"}).status, 0) << limit;
      continue;
    }
    EXPECT_FALSE(worked) << limit;
    // With too few descriptors for the dynamic loader, the loader reports it.
    EXPECT_LT(outcome.status, 128) << limit << ": " << outcome.errors;
    EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1)
        << limit << ": " << outcome.errors;
    EXPECT_THAT(outcome.errors, ContainsRegex("oo many open files|Error 24")) << limit;
  }
  EXPECT_TRUE(worked);
}

}  // namespace
}  // namespace stormo::process
