// Reloads with another program on the disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "process/probe_runner.h"

namespace stormo::process {
namespace {

namespace fs = std::filesystem;

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

const std::string kAnyPort = "tcp://127.0.0.1:0";

/// The program is started as `current`, a link to one of several files, as a deployment has it.
struct NewProgram : testing::Test {
  NewProgram() {
    fs::copy_file(probe.program, folder.file("one"));
    fs::copy_file(probe.program, folder.file("two"));
    use("one");
    probe.program = folder.file("current");
  }

  void use(const std::string& name) const {
    fs::remove(folder.file("current"));
    fs::create_symlink(folder.file(name), folder.file("current"));
  }
  void script(const std::string& name, const std::string& text) const {
    std::ofstream(folder.file(name)) << "#!/bin/sh\n" << text << '\n';
    ::chmod(folder.file(name).c_str(), 0755);
  }
  /// The name of the file that a process runs.
  static std::string programOf(pid_t pid) {
    return fs::read_symlink("/proc/" + std::to_string(pid) + "/exe").filename();
  }
  /// Those of the workers, in the order of their slots.
  [[nodiscard]] std::vector<std::string> programs() const {
    std::vector<std::string> names;
    for (const json& row : probe.workers()) names.push_back(programOf(row.at("pid")));
    return names;
  }
  /// Commands are executed by the first program, whatever `current` is.
  [[nodiscard]] Outcome reload() {
    const std::string current = std::exchange(probe.program, folder.file("one"));
    Outcome outcome = probe.run({"reload"});
    return outcome;
  }

  const Deadline deadline;
  ProbeProgram probe{deadline};
  test::TempDirectory folder;
};

using Names = std::vector<std::string>;

TEST_F(NewProgram, ReloadStartsTheProgramOfTheDiskOnTheSameSockets) {
  const auto program = probe.start();
  const std::uint16_t port = probe.port();
  const auto before = probe.pids();
  ASSERT_EQ(programs(), (Names{"one", "one"}));
  use("two");
  const Outcome outcome = reload();
  ASSERT_EQ(outcome.status, 0) << outcome.errors << program->errors();
  EXPECT_EQ(programs(), (Names{"two", "two"}));
  EXPECT_EQ(probe.port(), port);
  EXPECT_EQ(programOf(ProbeClient::connect(port).ask().pid), "two");
  EXPECT_EQ(probe.pids().at(0), before.at(0));  // the master
  EXPECT_EQ(probe.pids().at(1), before.at(1));  // and the channel
  for (const json& row : probe.workers()) {
    EXPECT_EQ(row.at("reloads"), 1);
    EXPECT_EQ(row.at("restarts"), 0);
    EXPECT_EQ(row.at("status"), "idle");
  }
  EXPECT_EQ(probe.run({"stop"}).status, 0);
  EXPECT_EQ(program->waitForEnd().status, 0);  // no process is left
}

TEST_F(NewProgram, AWorkerThatCrashesRestartsWithTheProgramOfTheLastReload) {
  const auto program = probe.start();
  use("two");
  ASSERT_EQ(reload().status, 0);
  script("broken", "exit 1");
  use("broken");
  const pid_t before = probe.worker(0).at("pid");
  ::kill(before, SIGKILL);
  ASSERT_TRUE(probe.workerBecomes(
      0, [&](const json& row) { return row.at("status") == "idle" && row.at("pid") != before; }));
  EXPECT_EQ(programs(), (Names{"two", "two"}));
  EXPECT_EQ(probe.worker(0).at("restarts"), 1);
  EXPECT_NE(ProbeClient::connect(probe.port()).ask().pid, 0);
}

TEST_F(NewProgram, AProgramThatDoesNotStartLeavesTheOldWorkers) {
  const auto program = probe.start();
  const auto before = probe.pids();
  const auto expectFailure = [&](const std::string& why) {
    const Outcome outcome = reload();
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.errors, AllOf(HasSubstr(why), HasSubstr("(the old workers go on)")));
    EXPECT_EQ(probe.pids(), before);
  };
  script("exits", "exit 3");
  use("exits");
  expectFailure("the new program ended with status 3");
  script("crashes", "kill -SEGV $$");
  use("crashes");
  expectFailure("the new program ended by signal 11");
  std::ofstream(folder.file("text")) << "no program";
  use("text");
  expectFailure("/current: permission denied");
  use("nothing");
  expectFailure("/current: no such file or directory");
  script("options", "exec " + folder.file("one") + " start --unknown");
  use("options");
  expectFailure("unknown option '--unknown'");
  script("count", "exec " + folder.file("one") + " start --listen tcp://127.0.0.1:1");
  use("count");
  expectFailure(
      "the new program has worker 'probe' on tcp://127.0.0.1:1, in place of worker "
      "'probe' on tcp://127.0.0.1:0 (for that use restart)");
  script("throws", "exec " + folder.file("one") + " start --fail-build");
  use("throws");
  expectFailure("asked to fail");
  EXPECT_NE(ProbeClient::connect(probe.port()).ask().pid, 0);
  use("two");
  EXPECT_EQ(reload().status, 0);
  EXPECT_EQ(programs(), (Names{"two", "two"}));
}

/// A child of `parent` that has ended and was not reaped; 0 if there is none.
pid_t endedChildOf(pid_t parent) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "stat");
    std::string line;
    std::getline(file, line);
    const std::size_t end = line.rfind(')');  // of the name
    if (end == std::string::npos) continue;
    std::istringstream rest(line.substr(end + 1));
    char state = 0;
    pid_t found = 0;
    if (rest >> state >> found && state == 'Z' && found == parent) {
      return std::stoi(entry.path().filename());
    }
  }
  return 0;
}

// The master sees the report, the end of the link and the end of the process all at once.
TEST_F(NewProgram, WhyItDoesNotStartIsKnownAlsoToAMasterThatDidNotRunMeanwhile) {
  const auto program = probe.start();
  const pid_t master = probe.pids().at(0);
  const auto expectFailure = [&](const std::string& name, const std::string& text,
                                 const std::string& why) {
    script(name, "kill -STOP $PPID\n" + text);
    use(name);
    const std::string current = std::exchange(probe.program, folder.file("one"));
    const auto reloading = probe.spawn({"reload"});
    EXPECT_TRUE(eventually(deadline, [&] { return endedChildOf(master) != 0; }));
    ::kill(master, SIGCONT);
    EXPECT_EQ(reloading->waitForEnd().status, 1);
    EXPECT_EQ(reloading->errors(), "probe: " + why + " (the old workers go on)\n");
  };
  expectFailure("ends", "exit 3", "the new program ended with status 3");
  expectFailure("options", "exec " + folder.file("one") + " start --unknown",
                "unknown option '--unknown'");
  // It does not read what the master has sent.
  expectFailure(
      "reports",
      R"(exec bash -c 'echo "{\"report\":\"failed\",\"why\":\"asked\"}" >&$STORMO_IMAGE')",
      "asked");
}

TEST_F(NewProgram, AWorkerOfItThatDoesNotStartLeavesTheOldWorkers) {
  const auto program = probe.start({"--listen", kAnyPort, "--fail-while", probe.path("fail")});
  const auto before = probe.pids();
  use("two");
  touch(probe.path("fail"));
  const Outcome outcome = reload();
  EXPECT_EQ(outcome.errors,
            "probe: worker probe/0 does not start: asked to fail (the old workers go on)\n");
  EXPECT_EQ(probe.pids(), before);
  ::unlink(probe.path("fail").c_str());
  ::kill(before.at(2), SIGKILL);
  ASSERT_TRUE(probe.workerBecomes(
      0, [&](const json& row) { return row.at("status") == "idle" && row.at("restarts") == 1; }));
  EXPECT_EQ(programs(), (Names{"one", "one"}));
  EXPECT_EQ(reload().status, 0);
  EXPECT_EQ(programs(), (Names{"two", "two"}));
}

TEST_F(NewProgram, ADaemonReloadsIntoItsLogAndStopsCompletely) {
  ASSERT_EQ(probe.run({"start", "-d", "--listen", kAnyPort}).status, 0);
  use("two");
  ASSERT_EQ(reload().status, 0);
  EXPECT_EQ(programs(), (Names{"two", "two"}));
  const ProbeClient client = ProbeClient::connect(probe.port());
  EXPECT_NE(client.ask('w').pid, 0);
  EXPECT_TRUE(test::eventually(
      deadline, [&] { return probe.log().find("printed to stderr") != std::string::npos; }));
  EXPECT_EQ(probe.run({"stop"}).status, 0);
}

}  // namespace
}  // namespace stormo::process
