// The command line: start, stop, restart, status, connections, and signals.
#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "integration/harness/with_stormo.h"

namespace stormo::integration {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Commands : public WithStormo {
 protected:
  void startDaemon(const Words& options = {"--workers", "2"}) {
    Words words = freePort(options);
    words.insert(words.begin(), {"start", "-d"});
    EXPECT_THAT(stormo.succeed(words), HasSubstr("Start success."));
    meetClients();
  }

  static void expectAllEnded(const std::vector<pid_t>& pids) {
    for (const pid_t pid : pids) EXPECT_FALSE(isRunning(pid)) << pid;
  }

  /// True if a new connection is refused.
  const SwarmClient& oneMore() {
    const Id id = clients().begin();
    clients().runUntil("an answer",
                       [&] { return clients()[id].state != SwarmClient::State::Opening; });
    return clients()[id];
  }

  std::vector<pid_t> allPids() {
    std::vector<pid_t> pids;
    const Json report = stormo.status();
    for (const Json& row : report.at("processes")) pids.push_back(row.at("pid").get<pid_t>());
    return pids;
  }

  static void expectOneClearLine(const Outcome& outcome, const std::string& expected) {
    EXPECT_NE(outcome.status, 0);
    EXPECT_THAT(outcome.output, IsEmpty());
    EXPECT_THAT(outcome.errors, HasSubstr(expected));
    EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1) << outcome.errors;
  }
};

TEST_F(Commands, StartShowsWorkersAndAddresses) {
  startStormo({"--workers", "2"});
  const std::string screen = stormo.foreground().output();
  EXPECT_THAT(screen, ContainsRegex("-+ STORMO -+\nStormo version:"));
  EXPECT_THAT(screen, ContainsRegex("user +worker +listen +processes +status"));
  EXPECT_THAT(screen, ContainsRegex("ChannelServer +unix://[^ ]+ +1 +\\[OK\\]"));
  EXPECT_THAT(screen, ContainsRegex("stormo +websocket://127.0.0.1:" +
                                    std::to_string(stormo.port()) + " +2 +\\[OK\\]"));
  EXPECT_THAT(screen, HasSubstr("Press Ctrl-C to quit. Start success."));
}

TEST_F(Commands, ASecondStartIsRefusedAndTheFirstContinues) {
  startStormo();
  const Id id = clients().connect();
  expectOneClearLine(stormo.run({"start"}), "already running");
  expectOneClearLine(stormo.run({"start", "-d"}), "already running");
  clients().join(id, "still served");
}

TEST_F(Commands, CommandsFailWithoutARunningInstance) {
  for (const char* word : {"stop", "reload", "status", "connections"}) {
    expectOneClearLine(stormo.run({word}), "not running");
  }
}

TEST_F(Commands, APortInUseIsReportedAndNoProcessRemains) {
  startStormo();
  const std::string taken = "websocket://127.0.0.1:" + std::to_string(stormo.port());
  ProgramInstance other(deadline);
  expectOneClearLine(other.run({"start", "--listen", taken}),
                     "cannot listen on " + taken + ": address already in use");
  expectOneClearLine(other.run({"start", "-d", "--listen", taken}), "address already in use");
  expectOneClearLine(other.run({"status"}), "not running");
}

TEST_F(Commands, AnUnusableLogDirectoryIsReportedAndNoProcessRemains) {
  const std::string path = stormo.folder() + "/run/stormo/channel-log";
  std::filesystem::create_directories(stormo.folder() + "/run/stormo");
  std::ofstream(path) << "a file";
  expectOneClearLine(stormo.run({"start", "--listen", "websocket://127.0.0.1:0"}),
                     "cannot open " + path + ": not a directory");
  expectOneClearLine(stormo.run({"status"}), "not running");
}

TEST_F(Commands, InvalidCommandLinesAreOneLineAndStatusTwo) {
  const std::vector<std::pair<Words, std::string>> table = {
      {{"strat"}, "unknown command 'strat', did you mean 'start'?"},
      {{"start", "--wokers", "2"}, "unknown option '--wokers', did you mean '--workers'?"},
      {{"stop", "start"}, "give one command"},
      {{"stop", "--timeout", "soon"}, "soon"},
  };
  for (const auto& [words, expected] : table) {
    const Outcome outcome = stormo.run(words);
    expectOneClearLine(outcome, expected);
    EXPECT_EQ(outcome.status, 2) << outcome.errors;
  }
}

TEST_F(Commands, InvalidSettingsAreReported) {
  const std::vector<std::pair<Words, std::string>> table = {
      {{"--listen", "http://127.0.0.1:0"}, "http://127.0.0.1:0"},
      {{"--listen", "websocket://nowhere"}, "nowhere"},
      {{"--listen", "websocket://example.org:1234"}, "write an IP address"},
      {{"--workers", "many"}, "'many' is not a number"},
      {{"--workers", "5000"}, "at most 1024"},
      {{"--page", "perhaps"}, "neither true nor false"},
      {{"--pong-timeout", "0"}, "at least 1 second"},
      {{"--channel", "redis://127.0.0.1:1"}, "redis://127.0.0.1:1"},
      {{"--channel-secret-file", "/nowhere"}, "/nowhere"},
      {{"--channel", "unix:///x", "--channel-listen", "unix:///y"}, "set only one of them"},
      {{"--channel-listen", "frame://0.0.0.0:0"}, "secret"},
      {{"--config", "/nowhere.toml"}, "/nowhere.toml"},
  };
  for (const auto& [options, expected] : table) {
    Words words = {"start"};
    words.insert(words.end(), options.begin(), options.end());
    expectOneClearLine(stormo.run(words), expected);
  }
  expectOneClearLine(stormo.run({"status"}), "not running");
}

TEST_F(Commands, HelpAndVersionSucceedOnStdout) {
  const std::string help = stormo.succeed({"--help"});
  for (const char* word :
       {"start", "stop", "restart", "reload", "status", "connections", "check-config"}) {
    EXPECT_THAT(help, HasSubstr(word));
  }
  EXPECT_THAT(stormo.succeed({"start", "--help"}), HasSubstr("--workers"));
  EXPECT_THAT(stormo.succeed({"--version"}), ContainsRegex("stormo [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(Commands, ADaemonRunsUntilStopAndStopReturnsWhenAllHaveEnded) {
  startDaemon();
  const Id id = clients().connect();
  const std::vector<pid_t> pids = allPids();
  EXPECT_THAT(pids, SizeIs(4));  // master, channel, two workers
  EXPECT_EQ(runBesideClients({"stop"}).status, 0);
  expectAllEnded(pids);
  clients().waitUntilClosed(id);
  EXPECT_EQ(clients()[id].closeCode, CloseCode::GoingAway);
  EXPECT_NE(oneMore().connectError, 0);
  expectOneClearLine(stormo.run({"stop"}), "not running");
}

TEST_F(Commands, RestartReplacesAllProcessesAndStartsWhenNothingRuns) {
  Words restart = freePort({"--workers", "2"});
  restart.insert(restart.begin(), {"restart", "-d"});
  stormo.succeed(restart);
  const std::vector<pid_t> before = allPids();
  stormo.succeed(restart);
  expectAllEnded(before);
  meetClients();
  clients().join(clients().connect(), "served again");
}

TEST_F(Commands, AGracefulStopWaitsForClientsUntilItsTimeout) {
  startDaemon();
  const Id stays = clients().connect();
  const Id goes = clients().connect();
  const auto stop = stormo.begin({"stop", "-g", "--timeout", "1"});
  // New clients are refused, and connected ones are served.
  while (oneMore().httpStatus != 503) deadline.check("clients to be refused");
  EXPECT_TRUE(clients()[stays].isOpen());
  clients().join(stays, "123");
  clients().close(goes);
  clients().waitUntilClosed(goes);
  EXPECT_EQ(clients()[goes].closeCode, CloseCode::Normal);
  clients().waitUntilClosed(stays);
  EXPECT_EQ(clients()[stays].closeCode, CloseCode::GoingAway);
  EXPECT_EQ(stop->waitForEnd().status, 0);
}

TEST_F(Commands, AGracefulStopWithoutClientsEndsAtOnce) {
  startDaemon();
  const std::vector<pid_t> pids = allPids();
  stormo.succeed({"stop", "-g"});
  expectAllEnded(pids);
}

TEST_F(Commands, StatusShowsAllProcessesAndTheirCounters) {
  startStormo();
  const Id id = clients().connect();
  for (const char* group : {"a", "b", "c"}) clients().command(id, "add_group", group);
  clients().runUntil("three groups", [&] { return groupsIn(stormo.status()) == 3; });
  const Json report = stormo.status();
  EXPECT_EQ(report.at("program"), "stormo");
  std::map<std::string, int> kinds;
  for (const Json& row : report.at("processes")) {
    ++kinds[row.at("kind")];
    EXPECT_GT(row.at("pid"), 0);
    EXPECT_GT(row.at("memory_bytes"), 0);
    EXPECT_EQ(row.at("status"), "idle");
  }
  EXPECT_EQ(kinds, (std::map<std::string, int>{{"master", 1}, {"channel", 1}, {"worker", 2}}));
  EXPECT_GE(stormo.sum("messages_in"), 3u);

  const std::string table = stormo.succeed({"status"});
  EXPECT_THAT(table, ContainsRegex("-+ GLOBAL STATUS -+\n"));
  EXPECT_THAT(table, ContainsRegex("-+ PROCESS STATUS -+\n"));
  for (const pid_t pid : allPids()) EXPECT_THAT(table, HasSubstr(std::to_string(pid)));
  EXPECT_THAT(table, HasSubstr("[idle]"));
  EXPECT_THAT(table, ContainsRegex("Summary +[0-9.]+[KMG]"));
}

TEST_F(Commands, ConnectionsShowsEachClientWithItsAddress) {
  startStormo();
  const Id id = clients().connect();
  const std::string address = "127.0.0.1:" + std::to_string(clients()[id].localPort);
  const Json rows = stormo.connections();
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const Json& each) {
    return each.at("remote_address") == address;
  });
  ASSERT_NE(row, rows.end()) << rows;
  EXPECT_EQ(row->at("kind"), "worker");
  EXPECT_EQ(row->at("protocol"), "websocket");
  EXPECT_EQ(row->at("state"), "ESTABLISHED");
  EXPECT_EQ(row->at("local_address"), "127.0.0.1:" + std::to_string(stormo.port()));
  const std::string table = stormo.succeed({"connections"});
  EXPECT_THAT(table, ContainsRegex("PID +Worker +CID +Trans +Protocol"));
  EXPECT_THAT(table, HasSubstr(address));
}

class Signals : public WithStormo, public ::testing::WithParamInterface<int> {};

TEST_P(Signals, StopTheForegroundProgramWithStatusZeroAndCloseFrames) {
  startStormo();
  const Id id = clients().connect();
  if (GetParam() == SIGQUIT) {  // waits for clients
    clients().close(id);
    clients().waitUntilClosed(id);
  }
  stormo.foreground().signal(GetParam());
  clients().runUntil("the end", [&] { return stormo.foreground().statusIfEnded().has_value(); });
  const Outcome outcome = stormo.foreground().waitForEnd();
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  clients().waitUntilClosed(id);
  EXPECT_EQ(clients()[id].closeCode,
            GetParam() == SIGQUIT ? CloseCode::Normal : CloseCode::GoingAway);
}

INSTANTIATE_TEST_SUITE_P(CtrlCTermAndQuit, Signals, ::testing::Values(SIGINT, SIGTERM, SIGQUIT),
                         [](const auto& given) {
                           return std::string(::sigabbrev_np(given.param));
                         });

}  // namespace
}  // namespace stormo::integration
