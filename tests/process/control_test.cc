// The control socket: status, connections, nodes, and misbehaving clients.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "process/control_server.h"
#include "process/probe_runner.h"
#include "support/temp_directory.h"
#include "sys/address.h"
#include "sys/clock.h"

namespace stormo::process {
namespace {

using nlohmann::json;
using testing::ContainsRegex;
using testing::HasSubstr;

struct Control : testing::Test {
  [[nodiscard]] UniqueFd connectToSocket() const {
    const Address address = Address::unixPath(probe.path("probe/control.sock")).value();
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(fd.get(), address.raw(), address.size()), 0);
    return fd;
  }

  static std::string askRaw(const UniqueFd& fd, const std::string& line) {
    ::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL);
    std::string answer;
    for (char letter = 0; letter != '\n' && ::recv(fd.get(), &letter, 1, 0) == 1;) answer += letter;
    return answer;
  }

  const Deadline deadline;
  ProbeProgram probe{deadline};
};

TEST_F(Control, StatusShowsEveryProcess) {
  const auto program = probe.start();
  const ProbeClient client = ProbeClient::connect(probe.port());
  const auto answer = client.ask();
  const json status = probe.status();
  EXPECT_EQ(status.at("program"), "probe");
  EXPECT_EQ(status.at("pid"), program->pid());
  EXPECT_EQ(status.at("workers"), 2);
  EXPECT_EQ(status.at("load_average").size(), 3u);
  EXPECT_THAT(status.at("started_at").get<std::string>(), ContainsRegex("^20..-..-..T..:..:..Z$"));
  ASSERT_EQ(status.at("processes").size(), 4u);
  EXPECT_EQ(status.at("processes").at(0).at("kind"), "master");
  EXPECT_EQ(status.at("processes").at(1).at("kind"), "channel");
  for (const json& row : probe.workers()) {
    EXPECT_EQ(row.at("name"), "probe");
    EXPECT_GT(row.at("memory_bytes"), 10'000);
    EXPECT_EQ(row.at("status"), "idle");
    EXPECT_EQ(row.at("connections"), row.at("pid") == answer.pid ? 1 : 0);
    EXPECT_EQ(row.at("messages_in"), row.at("pid") == answer.pid ? 1 : 0);
    for (const char* key :
         {"groups", "timers", "messages_out", "bytes_in", "bytes_out", "send_calls", "send_full",
          "slow_closed", "bad_peers", "origins_refused", "handler_errors", "turns", "qps",
          "restarts", "exit_status", "uptime_s"}) {
      EXPECT_TRUE(row.contains(key)) << key;
    }
  }
  const std::string screen = probe.run({"status"}).output;
  EXPECT_THAT(screen, ContainsRegex("\n" + std::to_string(answer.pid) +
                                    " .* probe +1 +0 +0 +1 +[0-9]+ +none +\\[idle\\]\n"));
  EXPECT_THAT(screen, HasSubstr("2 workers    3 processes"));
}

TEST_F(Control, LiveStatusRepeatsUntilTheMasterEnds) {
  const auto program = probe.start();
  const auto live = probe.spawn({"status", "-d"});
  live->waitForOutput("GLOBAL STATUS");
  EXPECT_EQ(probe.run({"stop"}).status, 0);
  EXPECT_EQ(live->waitForOwnEnd().status, 1);
}

TEST_F(Control, ConnectionsAreListedWithTheirProcess) {
  const auto program = probe.start();
  std::vector<ProbeClient> clients;
  std::vector<pid_t> pids;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(ProbeClient::connect(probe.port()));
    pids.push_back(clients.back().ask().pid);
  }
  const Outcome outcome = probe.run({"connections", "--json"});
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  const json answer = json::parse(outcome.output);
  std::vector<pid_t> listed;
  for (const json& row : answer.at("connections")) {
    listed.push_back(row.at("pid"));
    EXPECT_EQ(row.at("local_address"), "127.0.0.1:" + std::to_string(probe.port()));
    EXPECT_EQ(row.at("protocol"), "probe");
  }
  EXPECT_THAT(listed, testing::UnorderedElementsAreArray(pids));
  EXPECT_TRUE(answer.at("busy").empty());
  EXPECT_THAT(probe.run({"connections"}).output,
              ContainsRegex("\n" + std::to_string(pids[0]) + " +probe +[0-9]+ +tcp +probe +1 +0 "));
}

TEST_F(Control, MoreConnectionsThanOnePacketHoldsAreAllListed) {
  const auto program = probe.start();
  std::vector<ProbeClient> clients;
  const std::uint16_t port = probe.port();
  for (int i = 0; i < 450; ++i) {
    clients.push_back(ProbeClient::connect(port));
    ASSERT_NE(clients.back().ask().pid, 0);
  }
  const json answer = json::parse(probe.run({"connections", "--json"}).output);
  EXPECT_EQ(answer.at("connections").size(), clients.size());
}

TEST_F(Control, NodesAreListedByTheChannelOfACluster) {
  const auto program = probe.start({"--in-cluster"});
  const Outcome outcome = probe.run({"nodes", "--json"});
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  const json answer = json::parse(outcome.output);
  ASSERT_EQ(answer.at("nodes").size(), 2u);
  const json& own = answer.at("nodes").at(0);
  EXPECT_EQ(own.at("node"), "h1");
  EXPECT_EQ(own.at("id"), "00000000000000a1");
  EXPECT_EQ(own.at("state"), "this node");
  EXPECT_EQ(own.at("silent_s"), 0.25);
  EXPECT_EQ(own.at("blocked"), "no servers available");
  EXPECT_EQ(own.at("kind"), "channel");
  EXPECT_EQ(answer.at("nodes").at(1).at("blocked"), nullptr);
  EXPECT_TRUE(answer.at("busy").empty());
  EXPECT_THAT(probe.run({"nodes"}).output,
              HasSubstr("\nh1 can take no messages at the moment: no servers available\n"));
}

TEST_F(Control, NodesFailsWithoutACluster) {
  const auto program = probe.start();
  const std::string reason = "this server is not part of a cluster (see --cluster)";
  const Outcome text = probe.run({"nodes"});
  EXPECT_EQ(text.status, 1);
  EXPECT_EQ(text.output, "");
  EXPECT_EQ(text.errors, "probe: " + reason + "\n");
  const Outcome outcome = probe.run({"nodes", "--json"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.errors, "");
  const json answer = json::parse(outcome.output);
  EXPECT_TRUE(answer.at("nodes").empty());
  EXPECT_EQ(answer.at("reason"), reason);
}

TEST_F(Control, NodesListsAHangingChannelAsBusyAndConnectionsStillAnswers) {
  const std::string hangs = probe.path("hangs");
  std::ofstream(hangs).flush();
  const auto program = probe.start({"--in-cluster", "--hang-channel-while", hangs});
  const json answer = json::parse(probe.run({"nodes", "--json"}).output);
  EXPECT_TRUE(answer.at("nodes").empty());
  ASSERT_EQ(answer.at("busy").size(), 1u);
  EXPECT_EQ(answer.at("busy").at(0).at("kind"), "channel");
  EXPECT_EQ(json::parse(probe.run({"connections", "--json"}).output).at("busy").size(), 1u);
  ::unlink(hangs.c_str());
  EXPECT_TRUE(eventually(deadline, [&] {
    return json::parse(probe.run({"nodes", "--json"}).output).at("nodes").size() == 2;
  }));
}

TEST_F(Control, ConnectionsListsAHangingWorkerAsBusy) {
  const auto program = probe.start();
  std::vector<ProbeClient> clients;
  const std::uint16_t port = probe.port();
  int hung = -1;
  for (int i = 0; i < 100; ++i) {  // some are slot 0's, some slot 1's
    clients.push_back(ProbeClient::connect(port));
    const auto answer = clients.back().ask();
    if (answer.slot == 1) hung = i;
  }
  ASSERT_GE(hung, 0);
  clients[static_cast<std::size_t>(hung)].send('h');
  const pid_t pid = probe.worker(1).at("pid");
  for (int round = 0; round < 2; ++round) {
    const json answer = json::parse(probe.run({"connections", "--json"}).output);
    ASSERT_EQ(answer.at("busy").size(), 1u);
    EXPECT_EQ(answer.at("busy").at(0).at("pid"), pid);
    EXPECT_FALSE(answer.at("connections").empty());
  }
  ::kill(pid, SIGKILL);
}

TEST_F(Control, SocketHasMode0600) {
  const auto program = probe.start();
  struct stat found {};
  ASSERT_EQ(::stat(probe.path("probe/control.sock").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
}

TEST_F(Control, DeletedInstanceDirectoryIsCreatedAgainAndCommandsWork) {
  const auto program = probe.start();
  const auto before = probe.pids();
  std::filesystem::remove_all(probe.path("probe"));
  ASSERT_TRUE(eventually(deadline, [&] { return probe.run({"status"}).status == 0; }));
  EXPECT_EQ(probe.pids(), before);
  for (const char* file : {"lock", "children", "control.sock", "start.json"}) {
    EXPECT_EQ(::access(probe.path(std::string("probe/") + file).c_str(), F_OK), 0) << file;
  }
  EXPECT_EQ(probe.run({"reload"}).status, 0);
  const Outcome second = probe.run({"start", "--listen", "tcp://127.0.0.1:0"});
  EXPECT_THAT(second.errors, HasSubstr("already running (pid " + std::to_string(program->pid())));
  EXPECT_EQ(probe.run({"stop"}).status, 0);
  EXPECT_EQ(program->waitForOwnEnd().status, 0);
}

TEST_F(Control, EachDeletedFileOfTheInstanceIsCreatedAgain) {
  const auto program = probe.start();
  for (const char* file : {"lock", "children", "control.sock", "start.json"}) {
    const std::string path = probe.path(std::string("probe/") + file);
    ASSERT_TRUE(std::filesystem::remove(path)) << file;
    EXPECT_TRUE(eventually(deadline, [&] { return ::access(path.c_str(), F_OK) == 0; })) << file;
  }
  EXPECT_EQ(probe.run({"stop"}).status, 0);
}

TEST_F(Control, ReloadReplacesAGracefulReloadThatWaitsForClients) {
  const auto program = probe.start();
  const ProbeClient client = ProbeClient::connect(probe.port());
  EXPECT_NE(client.ask().pid, 0);
  const auto before = probe.pids();
  const auto waiting = probe.spawn({"reload", "-g"});
  ASSERT_TRUE(probe.aWorkerIsStopping());
  EXPECT_EQ(probe.run({"reload"}).status, 0);
  const Outcome replaced = waiting->waitForOwnEnd();
  EXPECT_EQ(replaced.status, 1);
  EXPECT_EQ(replaced.errors, "probe: replaced by a later reload\n");
  for (const json& row : probe.workers()) {
    EXPECT_THAT(before, testing::Not(testing::Contains(row.at("pid").get<pid_t>())));
    EXPECT_TRUE(row.at("exit_status").is_null());  // none ended unexpectedly
  }
}

TEST_F(Control, GracefulReloadIsReplacedByOneWithATimeoutAndByASignal) {
  const auto program = probe.start({"--listen", "tcp://127.0.0.1:0", "--count", "1"});
  for (const bool bySignal : {false, true}) {
    const ProbeClient client = ProbeClient::connect(probe.port());
    const pid_t before = client.ask().pid;
    const auto waiting = probe.spawn({"reload", "-g", "--timeout", "600"});
    ASSERT_TRUE(probe.aWorkerIsStopping());
    if (bySignal) {
      program->signal(SIGUSR1);
    } else {
      EXPECT_EQ(probe.run({"reload", "-g", "--timeout", "0.01"}).status, 0);
    }
    EXPECT_EQ(waiting->waitForOwnEnd().status, 1);
    EXPECT_TRUE(probe.workerBecomes(
        0, [&](const json& row) { return row.at("pid") != before && row.at("status") == "idle"; }));
  }
}

TEST_F(Control, GracefulReloadAndStopHaveATimeoutByDefault) {
  const auto program =
      probe.start({"--listen", "tcp://127.0.0.1:0", "--graceful-timeout-ms", "20"});
  const ProbeClient client = ProbeClient::connect(probe.port());
  EXPECT_NE(client.ask().pid, 0);
  EXPECT_EQ(probe.run({"reload", "-g"}).status, 0);
  const ProbeClient another = ProbeClient::connect(probe.port());
  EXPECT_NE(another.ask().pid, 0);
  EXPECT_EQ(probe.run({"stop", "-g"}).status, 0);
}

TEST(ControlServer, WithoutFreeDescriptorsWaitsAndAnswersLater) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizers need descriptors themselves";
#endif
  const test::TempDirectory temp;
  const std::string path = temp.file("control.sock");
  EventLoop loop;
  ControlServer server(loop, path, [](const Json&, const ControlServer::Reply& reply) {
    reply({{"ok", true}});
  });
  const UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Address address = Address::unixPath(path).value();
  ASSERT_EQ(::connect(client.get(), address.raw(), address.size()), 0);
  ASSERT_GT(::send(client.get(), "{}\n", 3, 0), 0);

  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  // Each turn must wait for an event or a timer; a spinning loop would return at once.
  const auto begin = Clock::now();
  for (int turns = 0; turns < 4; ++turns) loop.turn(std::chrono::seconds(10));
  EXPECT_GE(Clock::now() - begin, std::chrono::milliseconds(100));
  ::setrlimit(RLIMIT_NOFILE, &before);

  std::string answer;
  const Deadline deadline;
  while (answer.empty()) {
    deadline.check("an answer");
    loop.turn(std::chrono::milliseconds(10));
    char bytes[64];
    const ssize_t size = ::recv(client.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (size > 0) answer.assign(bytes, static_cast<std::size_t>(size));
  }
  EXPECT_EQ(answer, "{\"ok\":true}\n");
}

TEST_F(Control, HangingMalformedAndDisconnectingClientsDoNotAffectOthers) {
  const auto program = probe.start();
  std::vector<UniqueFd> hanging;
  for (int i = 0; i < 20; ++i) {
    hanging.push_back(connectToSocket());
    ::send(hanging.back().get(), "{\"comm", 6, MSG_NOSIGNAL);
  }
  {
    const UniqueFd leaving = connectToSocket();
    const std::string request = "{\"command\":\"connections\"}\n{\"command\":\"status\"}\n";
    ::send(leaving.get(), request.data(), request.size(), MSG_NOSIGNAL);
  }
  EXPECT_THAT(askRaw(connectToSocket(), "rubbish\n"), HasSubstr("error"));
  EXPECT_THAT(askRaw(connectToSocket(), "[]\n"), HasSubstr("error"));
  EXPECT_THAT(askRaw(connectToSocket(), "{}\n"), HasSubstr("invalid request"));
  EXPECT_THAT(askRaw(connectToSocket(), "{\"command\":7}\n"), HasSubstr("invalid request"));
  EXPECT_THAT(askRaw(connectToSocket(), "{\"command\":\"dance\"}\n"),
              HasSubstr("unknown command 'dance'"));
  EXPECT_THAT(askRaw(connectToSocket(), "{\"command\":\"stop\",\"timeout_ms\":\"x\"}\n"),
              HasSubstr("invalid request"));
  EXPECT_THAT(askRaw(connectToSocket(), std::string(100'000, 'x')), "");  // disconnected
  EXPECT_EQ(probe.workers().size(), 2u);
  EXPECT_EQ(probe.run({"stop"}).status, 0);
}

TEST_F(Control, AnswersSeveralRequestsOfOneClientInOrder) {
  const auto program = probe.start();
  const UniqueFd fd = connectToSocket();
  EXPECT_THAT(askRaw(fd, "{\"command\":\"connections\"}\n{\"command\":\"status\"}\n"),
              HasSubstr("connections"));
  EXPECT_THAT(askRaw(fd, ""), HasSubstr("\"program\":\"probe\""));
}

}  // namespace
}  // namespace stormo::process
