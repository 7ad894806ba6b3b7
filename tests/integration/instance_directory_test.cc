// The instance's directory: its deletion, its permissions, and what it keeps for the next start.
#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "integration/harness/with_stormo.h"
#include "sys/sockets.h"

namespace stormo::integration {
namespace {

using ::testing::HasSubstr;

class InstanceDirectory : public WithStormo {
 protected:
  [[nodiscard]] std::string directory() const { return stormo.folder() + "/run/stormo"; }

  void deleteDirectory() {
    std::filesystem::remove_all(stormo.folder() + "/run");
    while (::access((directory() + "/control.sock").c_str(), F_OK) != 0) {
      deadline.check("the instance's folder to be made again");
    }
  }

  /// Waits until the log has so many lines with this text.
  void awaitLines(std::string_view text, std::size_t count) {
    const auto found = [&] {
      const std::string log = stormo.foreground().errors();
      std::size_t lines = 0;
      for (std::size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) {
        ++lines;
      }
      return lines >= count;
    };
    while (!found()) deadline.check("the log lines of a gap");
  }

  /// Kills the process, and waits until its successor runs.
  void replace(const std::string& kind) {
    const pid_t killed = stormo.pids(kind).front();
    const std::size_t count = stormo.pids(kind).size();
    ::kill(killed, SIGKILL);
    stormo.waitForStatus("another " + kind, [&](const Json& report) {
      std::size_t ready = 0;
      for (const Json& row : report.at("processes")) {
        if (row.at("kind") == kind && row.at("pid") != killed && row.at("status") == "idle")
          ++ready;
      }
      return ready == count;
    });
  }

  void expectGroupMessagesArrive(const std::string& group) {
    const auto members = membersOnDifferentWorkers(group);
    clients().sendToGroup(members[0], group, "a message");
    clients().waitForMessages(members[1], 1);
    EXPECT_EQ(clients()[members[1]].texts(), Texts{"a message"});
    for (const Id id : members) clients().drop(id);
  }
};

TEST_F(InstanceDirectory, AfterItsDeletionWorkersAndChannelStillConnect) {
  startStormo({"--workers", "2"});
  deleteDirectory();
  expectGroupMessagesArrive("as before");
  replace("worker");
  expectGroupMessagesArrive("after a worker's death");
  replace("channel");
  awaitLines("events were lost", 2);  // with the directory its log was lost
  expectGroupMessagesArrive("after the Channel's death");
  EXPECT_EQ(runBesideClients({"reload"}).status, 0);
  expectGroupMessagesArrive("after a reload");
}

TEST_F(InstanceDirectory, AfterItsDeletionTheNextChannelBeginsANewLog) {
  startStormo({"--workers", "2"});
  deleteDirectory();
  replace("channel");
  awaitLines("events were lost", 2);
  expectGroupMessagesArrive("123");
  EXPECT_FALSE(std::filesystem::is_empty(directory() + "/channel-log"));
}

TEST_F(InstanceDirectory, WorkersOfAnotherUserConnectToTheChannelInAPrivateDirectory) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may change user";
  startStormo({"--workers", "2", "--user", "nobody"});  // the test's own directory has mode 0700
  expectGroupMessagesArrive("123");
  replace("channel");
  expectGroupMessagesArrive("123");
}

TEST_F(InstanceDirectory, StartSucceedsWithoutAnExternalChannelAndLogsTheRetry) {
  const auto taken = listenOn(Address::ip("127.0.0.1", 0).value(), {.reusePort = true});
  const std::string url =
      "stormo://127.0.0.1:" + std::to_string(localAddress(taken.value().get()).port());
  ::shutdown(taken.value().get(), SHUT_RDWR);  // refuses connections, and keeps the port
  stormo.start(freePort({"--workers", "1", "--channel", url}));
  while (stormo.foreground().errors().find("no link to the Channel, trying again url=" + url) ==
         std::string::npos) {
    deadline.check("the log line of the retry");
  }
}

TEST_F(InstanceDirectory, RestartStartsAfterARebootWithTheOptionsOfTheLastStart) {
  Words start = freePort({"--workers", "3"});
  start.insert(start.begin(), {"start", "-d"});
  stormo.succeed(start);
  const pid_t master = stormo.status().at("pid");
  ::kill(master, SIGKILL);
  while (isRunning(master)) deadline.check("the master's end");

  const auto unit = stormo.begin({"restart"});
  unit->waitForOutput("Start success.");
  EXPECT_THAT(unit->output(), HasSubstr("Reusing the options of the last start: --listen="));
  EXPECT_EQ(stormo.pids("worker").size(), 3u);
  EXPECT_EQ(stormo.run({"reload"}).status, 0);
  unit->signal(SIGTERM);
  EXPECT_EQ(unit->waitForEnd().status, 0);
}

}  // namespace
}  // namespace stormo::integration
