// Several instances on one machine, and in one runtime directory.
#include <gmock/gmock.h>

#include <csignal>

#include "integration/harness/with_stormo.h"

namespace stormo::integration {
namespace {

using ::testing::HasSubstr;

class Instances : public ::testing::Test {
 protected:
  /// Starts one in the background.
  void startInstance(const std::string& name) {
    home.succeed({"start", "-d", "--instance", name, "--listen", "websocket://127.0.0.1:0",
                  "--workers", "1"});
  }
  Json statusOf(const std::string& name) {
    return Json::parse(home.succeed({"status", "--json", "--instance", name}));
  }

  const Deadline deadline;
  ProgramInstance home{deadline};
};

TEST_F(Instances, TwoInstancesRunAtOnceAndAreStoppedSeparately) {
  startInstance("a");
  startInstance("b");
  const Json a = statusOf("a");
  const Json b = statusOf("b");
  EXPECT_NE(a.at("pid"), b.at("pid"));
  EXPECT_THAT(home.run({"start", "--instance", "a"}).errors, HasSubstr("already running"));

  home.succeed({"stop", "--instance", "a"});
  EXPECT_FALSE(isRunning(a.at("pid").get<pid_t>()));
  EXPECT_EQ(statusOf("b").at("pid"), b.at("pid"));
  home.succeed({"stop", "--instance", "b"});
  EXPECT_FALSE(isRunning(b.at("pid").get<pid_t>()));
}

TEST_F(Instances, InstancesDoNotShareGroups) {
  startInstance("a");
  startInstance("b");
  const auto portOf = [&](const std::string& name) {
    const Json report = statusOf(name);
    const auto listen = report.at("processes").back().at("listen").get<std::string>();
    return static_cast<std::uint16_t>(std::stoi(listen.substr(listen.rfind(':') + 1)));
  };
  ClientSwarm here(deadline, portOf("a"));
  ClientSwarm there(deadline, portOf("b"));
  const auto sender = here.connect();
  const auto member = there.connect();
  there.join(member, "123");
  here.sendToGroup(sender, "123", "only here");
  here.settle({sender});
  there.settle({member});
  EXPECT_TRUE(there[member].received.empty());
  here.drop(sender);
  there.drop(member);
  home.succeed({"stop", "--instance", "a"});
  home.succeed({"stop", "--instance", "b"});
}

TEST_F(Instances, FilesOfAKilledInstanceDoNotPreventAStart) {
  startInstance("a");
  const pid_t master = statusOf("a").at("pid").get<pid_t>();
  ::kill(master, SIGKILL);
  while (isRunning(master)) deadline.check("the end of the master");
  EXPECT_THAT(home.run({"status", "--instance", "a"}).errors, HasSubstr("not running"));
  startInstance("a");
  home.succeed({"stop", "--instance", "a"});
}

TEST_F(Instances, AnInstanceNameMustBeAPlainWord) {
  for (const char* name : {"../escape", "a/b", ".hidden"}) {
    const Outcome outcome =
        home.run({"start", "--instance", name, "--listen", "websocket://127.0.0.1:0"});
    EXPECT_NE(outcome.status, 0);
    EXPECT_THAT(outcome.errors, HasSubstr("invalid instance name"));
  }
}

}  // namespace
}  // namespace stormo::integration
