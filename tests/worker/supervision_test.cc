// onWorkerExit and Worker::reloadable in real processes.
#include <gmock/gmock.h>

#include <csignal>
#include <stdexcept>
#include <string>

#include "worker/program_fixture.h"

namespace stormo {
namespace {

using testing::HasSubstr;

class Supervision : public ProgramTest {
 protected:
  Supervision() : ProgramTest("supervised_program") {}

  /// The row of `status --json` of a worker by its name, or of the master.
  nlohmann::json row(const std::string& name) {
    const auto status = nlohmann::json::parse(run({"status", "--json"}).output);
    for (const auto& process : status.at("processes")) {
      if (process.at("name") == name) return process;
    }
    throw std::runtime_error("no process " + name);
  }
  pid_t pidOf(const std::string& name) { return row(name).at("pid"); }
  std::uint16_t portOf(const std::string& name) {
    const std::string listen = row(name).at("listen");
    return static_cast<std::uint16_t>(std::stoi(listen.substr(listen.rfind(':') + 1)));
  }
  void endWorker(const std::string& name, int status) {
    const TextClient client(portOf(name));
    client.send("exit " + std::to_string(status));
    EXPECT_EQ(client.receive(), "");
  }
  [[nodiscard]] bool isNoted(const std::string& line) const {
    return test::eventually(deadline,
                            [&] { return notes().find(line + '\n') != std::string::npos; });
  }
};

TEST_F(Supervision, ReloadSkipsAWorkerThatIsNotReloadable) {
  start();
  const pid_t plain = pidOf("plain");
  const pid_t keeper = pidOf("keeper");
  EXPECT_EQ(run({"reload"}).status, 0);
  EXPECT_NE(pidOf("plain"), plain);
  EXPECT_EQ(pidOf("keeper"), keeper);
  EXPECT_EQ(run({"reload", "-g"}).status, 0);
  EXPECT_EQ(pidOf("keeper"), keeper);
}

TEST_F(Supervision, OnWorkerExitIsCalledInTheMasterForEachExit) {
  start();
  const std::string inMaster = " in " + std::to_string(pidOf("master"));
  endWorker("keeper", 7);
  EXPECT_TRUE(isNoted("keeper/0 7" + inMaster));
  ::kill(pidOf("plain"), SIGKILL);
  EXPECT_TRUE(isNoted("plain/0 137" + inMaster));
  ASSERT_TRUE(test::eventually(deadline, [&] { return row("plain").at("status") == "idle"; }));
  EXPECT_EQ(run({"reload"}).status, 0);
  EXPECT_TRUE(isNoted("plain/0 0" + inMaster));
  const std::string before = notes();
  EXPECT_EQ(run({"stop"}).status, 0);
  const std::string atStop = notes().substr(before.size());
  EXPECT_THAT(atStop, HasSubstr("plain/0 0" + inMaster + "\n"));
  EXPECT_THAT(atStop, HasSubstr("keeper/0 0" + inMaster + "\n"));
}

TEST_F(Supervision, AnExceptionInOnWorkerExitIsLoggedAndTheWorkerRestarted) {
  // "thread": a thread in the master would not survive its forks.
  for (const std::string fault : {"exit", "thread"}) {
    start(fault);
    const pid_t before = pidOf("plain");
    endWorker("plain", 1);
    EXPECT_TRUE(test::eventually(
        deadline, [&] { return row("plain").at("status") == "idle" && pidOf("plain") != before; }));
    EXPECT_EQ(run({"stop"}).status, 0);
    const test::Outcome outcome = program->waitForOwnEnd();
    EXPECT_EQ(outcome.status, 0);
    EXPECT_THAT(outcome.errors, HasSubstr("kind=onWorkerExit"));
    EXPECT_THAT(outcome.errors,
                HasSubstr(fault == "exit" ? "on purpose in exit" : "runBlocking() in the master"));
  }
}

}  // namespace
}  // namespace stormo
