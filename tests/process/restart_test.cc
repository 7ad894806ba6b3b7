// `restart`: checks the new start before it stops the running instance.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "process/start_fixture.h"

namespace stormo::process {
namespace {

using testing::HasSubstr;

using Restart = Start;

TEST_F(Restart, RestartReplacesARunningInstanceAndStartsAStoppedOne) {
  EXPECT_EQ(probe.run({"restart", "-d", "--listen", kAnyPort}).status, 0);
  const auto before = probe.pids();
  const std::string url = "tcp://127.0.0.1:" + std::to_string(probe.port());
  const Outcome again = probe.run({"restart", "-d", "--listen", url});
  EXPECT_EQ(again.status, 0) << again.errors;
  for (const pid_t pid : probe.pids()) EXPECT_THAT(before, testing::Not(testing::Contains(pid)));
  EXPECT_EQ(probe.run({"stop"}).status, 0);
}

TEST_F(Restart, RestartWithAnInvalidConfigurationKeepsTheServerRunning) {
  const auto program = probe.start();
  const auto before = probe.pids();
  const auto expectRefused = [&](const Words& words, const std::string& reason) {
    const Outcome outcome = probe.run(words);
    EXPECT_NE(outcome.status, 0);
    EXPECT_THAT(outcome.errors, HasSubstr(reason));
    EXPECT_EQ(probe.pids(), before);
  };
  for (const bool daemon : {true, false}) {
    Words restart = {"restart"};
    if (daemon) restart.push_back("-d");
    const auto with = [&](const Words& options) {
      Words words = restart;
      words.insert(words.end(), options.begin(), options.end());
      return words;
    };
    expectRefused(with({"--fail-build"}), "asked to fail");
    expectRefused(with({"--user", "no-such-user"}), "no such user");
    expectRefused(with({"--count", "0"}), "count of at least 1");
    expectRefused(with({"--listen", "tcp://192.0.2.1:0"}), "cannot assign requested address");
    expectRefused(with({"--listen", "unix:///nowhere/s"}), "no such file or directory");
    expectRefused(with({"--log", "/nowhere/log"}), "cannot open the log file /nowhere/log");
    expectRefused(with({"--wrong"}), "unknown option '--wrong'");
  }
  EXPECT_NE(ProbeClient::connect(probe.port()).ask().pid, 0);
}

TEST_F(Restart, ReusesTheOptionsOfTheLastStartAndChangesThoseThatAreGiven) {
  EXPECT_EQ(probe.run({"start", "-d", "--listen", kAnyPort, "--count", "1"}).status, 0);
  const Outcome same = probe.run({"restart", "-d"});
  EXPECT_EQ(same.status, 0) << same.errors;
  EXPECT_THAT(same.output, HasSubstr("Reusing the options of the last start: --listen=" + kAnyPort +
                                     " --count=1\n"));
  EXPECT_EQ(probe.workers().size(), 1u);
  EXPECT_NE(ProbeClient::connect(probe.port()).ask().pid, 0);

  EXPECT_EQ(probe.run({"restart", "-d", "--count", "3"}).status, 0);
  EXPECT_EQ(probe.workers().size(), 3u);
  EXPECT_NE(ProbeClient::connect(probe.port()).ask().pid, 0);

  // Also when it does not run, as after a reboot. The options of a failed start are not reused.
  EXPECT_EQ(probe.run({"stop"}).status, 0);
  EXPECT_NE(probe.run({"start", "-d", "--fail-build"}).status, 0);
  EXPECT_EQ(probe.run({"restart", "-d"}).status, 0);
  EXPECT_EQ(probe.workers().size(), 3u);

  // Plain start reuses nothing.
  EXPECT_EQ(probe.run({"stop"}).status, 0);
  EXPECT_EQ(probe.run({"start", "-d", "--listen", kAnyPort}).status, 0);
  EXPECT_EQ(probe.workers().size(), 2u);
  EXPECT_EQ(probe.run({"stop"}).status, 0);
}

TEST_F(Restart, RestartResolvesRelativePathsFromTheDirectoryOfTheStart) {
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(folder());
  EXPECT_EQ(probe.run({"start", "-d", "--listen", kAnyPort, "--log", "my.log"}).status, 0);
  std::filesystem::current_path(here);
  const Outcome again = probe.run({"restart", "-d"});
  EXPECT_EQ(again.status, 0) << again.errors;
  EXPECT_THAT(again.output, HasSubstr("--log=" + folder() + "/my.log"));
  EXPECT_EQ(probe.run({"stop"}).status, 0);
}

TEST_F(Restart, RestartNamesAnUnreadableStartRecord) {
  EXPECT_EQ(probe.run({"start", "-d", "--listen", kAnyPort}).status, 0);
  std::ofstream(probe.path("probe/start.json")) << "rubbish";
  const Outcome outcome = probe.run({"restart", "-d"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.errors, HasSubstr(probe.path("probe/start.json")));
  EXPECT_EQ(probe.workers().size(), 2u);
}

}  // namespace
}  // namespace stormo::process
