// Several programs connected to one Channel of another program.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <functional>

#include "integration/harness/with_stormo.h"
#include "sys/address.h"

namespace stormo::integration {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ExternalChannel : public ::testing::Test {
 protected:
  /// Starts the Channel on `listen`, and returns its actual address.
  SocketUrl startChannel(const std::string& listen, const Words& options = {}) {
    Words words = {"--listen", listen};
    words.insert(words.end(), options.begin(), options.end());
    channel.start(words);
    const Json report = channel.status();
    for (const Json& row : report.at("processes")) {
      if (row.at("kind") == "channel") return parseSocketUrl(row.at("listen").get<std::string>());
    }
    throw std::runtime_error("no Channel in " + report.dump());
  }

  static void startWith(ProgramInstance& stormo, const std::string& channelUrl,
                        const Words& options = {}) {
    Words words = {"--listen", "websocket://127.0.0.1:0", "--workers", "2", "--channel",
                   channelUrl};
    words.insert(words.end(), options.begin(), options.end());
    stormo.start(words);
    EXPECT_THAT(stormo.pids("channel"), IsEmpty());
  }

  /// One member on each of two programs; a message of each reaches both.
  void expectGroupsCross(ProgramInstance& left, ProgramInstance& right) {
    ClientSwarm here(deadline, left.port());
    ClientSwarm there(deadline, right.port());
    const auto a = here.connect();
    const auto b = there.connect();
    here.join(a, "123");
    there.join(b, "123");
    here.sendToGroup(a, "123", "Questo è un messaggio");
    here.waitForMessages(a, 1);
    there.waitForMessages(b, 1);
    there.sendToGroup(b, "123", "an answer");
    there.waitForMessages(b, 2);
    here.waitForMessages(a, 2);
    EXPECT_THAT(here[a].texts(), ElementsAre("Questo è un messaggio", "an answer"));
    EXPECT_THAT(there[b].texts(), ElementsAre("Questo è un messaggio", "an answer"));
  }

  const Deadline deadline;
  ProgramInstance channel{deadline, "stormo", {"channel"}};
  ProgramInstance first{deadline};
  ProgramInstance second{deadline};
};

TEST_F(ExternalChannel, ProgramsShareGroupsInStormosDialect) {
  const SocketUrl url = startChannel("frame://127.0.0.1:0");
  startWith(first, "stormo://127.0.0.1:" + std::to_string(url.port));
  startWith(second, "stormo://127.0.0.1:" + std::to_string(url.port));
  expectGroupsCross(first, second);
}

TEST_F(ExternalChannel, ProgramsShareGroupsInWorkermansDialect) {
  const SocketUrl url = startChannel("frame://127.0.0.1:0");
  startWith(first, "frame://127.0.0.1:" + std::to_string(url.port));
  startWith(second, "frame://127.0.0.1:" + std::to_string(url.port));
  expectGroupsCross(first, second);
}

TEST_F(ExternalChannel, ProgramsShareGroupsAcrossDialects) {
  const SocketUrl url = startChannel("frame://127.0.0.1:0");
  startWith(first, "frame://127.0.0.1:" + std::to_string(url.port));
  startWith(second, "stormo://127.0.0.1:" + std::to_string(url.port));
  expectGroupsCross(first, second);
}

TEST_F(ExternalChannel, ProgramsShareGroupsOverAUnixSocket) {
  const std::string url = "unix://" + channel.folder() + "/channel";
  startChannel(url);
  startWith(first, url);
  startWith(second, url);
  expectGroupsCross(first, second);
}

TEST_F(ExternalChannel, ProgramsShareGroupsOverTheChannelOfOneOfThem) {
  const std::string url = "unix://" + first.folder() + "/open";
  first.start({"--listen", "websocket://127.0.0.1:0", "--workers", "2", "--channel-listen", url});
  startWith(second, url);
  expectGroupsCross(first, second);
}

TEST_F(ExternalChannel, OnlyLinksWithTheSecretAreAccepted) {
  const auto secretFile = [&](const std::string& name, const std::string& secret) {
    const std::string path = channel.folder() + '/' + name;
    std::ofstream(path) << secret << '\n';
    return path;
  };
  const std::string rightFile = secretFile("right", "open sesame");
  const std::string wrongFile = secretFile("wrong", "open barley");
  const SocketUrl url = startChannel("frame://127.0.0.1:0", {"--secret-file", rightFile});
  const std::string channelUrl = "stormo://127.0.0.1:" + std::to_string(url.port);
  startWith(first, channelUrl, {"--channel-secret-file", rightFile});
  expectGroupsCross(first, first);

  startWith(second, channelUrl, {"--channel-secret-file", wrongFile});
  ClientSwarm inside(deadline, first.port());
  ClientSwarm outside(deadline, second.port());
  const auto member = inside.connect();
  const auto sender = outside.connect();
  inside.join(member, "123");
  for (int i = 0; i < 20; ++i) outside.sendToGroup(sender, "123", "rejected");
  outside.runUntil("the server to have read it", [&] { return second.sum("messages_in") >= 20; });
  inside.settle({member});
  EXPECT_THAT(inside[member].received, IsEmpty());
}

TEST_F(ExternalChannel, LinksMaySpeakTls) {
  const std::string name = channel.folder() + "/channel";
  ASSERT_EQ(SpawnedProgram(deadline, {STORMO_BIN_DIR "/stormo", "dev-cert", "--name", name})
                .waitForEnd()
                .status,
            0);
  const SocketUrl url = startChannel("frames://127.0.0.1:0",
                                     {"--tls-cert", name + ".crt", "--tls-key", name + ".key"});
  const std::string channelUrl = "stormos://127.0.0.1:" + std::to_string(url.port);
  for (ProgramInstance* each : {&first, &second}) {
    startWith(*each, channelUrl, {"--channel-ca-file", name + ".crt"});
  }
  expectGroupsCross(first, second);
}

TEST_F(ExternalChannel, WorkersWaitForAChannelThatStartsLater) {
  const std::string url = "unix://" + channel.folder() + "/channel";
  startWith(first, url);
  ClientSwarm clients(deadline, first.port());
  const auto member = clients.connect();
  clients.command(member, "add_group", "123");
  clients.sendToGroup(member, "123", "kept meanwhile");
  clients.runUntil("the server to have read it", [&] { return first.sum("messages_in") >= 2; });
  startChannel(url);
  clients.waitForMessages(member, 1);
  EXPECT_THAT(clients[member].texts(), ElementsAre("kept meanwhile"));
}

/// True for a status in which each worker has one link, in that dialect and state.
std::function<bool(const Json&)> linksAre(const std::string& dialect, const std::string& state) {
  return [=](const Json& report) {
    const Json wanted = Json::array({Json{{"dialect", dialect}, {"state", state}}});
    return std::ranges::all_of(report.at("processes"), [&](const Json& row) {
      return row.at("kind") != "worker" || row.at("channel_links") == wanted;
    });
  };
}

TEST_F(ExternalChannel, StatusShowsTheDialectAndStateOfEachWorkersLink) {
  const std::string url = "unix://" + channel.folder() + "/channel";
  startWith(first, url);
  first.waitForStatus("links without a Channel", linksAre("stormo", "connecting"));
  EXPECT_THAT(first.succeed({"status"}), HasSubstr("  stormo connecting  [idle]"));
  startChannel(url);
  first.waitForStatus("links to the Channel", linksAre("stormo", "connected"));
  channel.foreground().signal(SIGTERM);
  EXPECT_EQ(channel.foreground().waitForEnd().status, 0);
  first.waitForStatus("links to a stopped Channel", linksAre("stormo", "connecting"));
}

TEST_F(ExternalChannel, StatusShowsLinksInWorkermansDialect) {
  const SocketUrl url = startChannel("frame://127.0.0.1:0");
  startWith(first, "frame://127.0.0.1:" + std::to_string(url.port));
  first.waitForStatus("links to the Channel", linksAre("workerman", "connected"));
}

TEST_F(ExternalChannel, ARestartedChannelLosesNoMessages) {
  const std::string url = "unix://" + channel.folder() + "/channel";
  startChannel(url);
  startWith(first, url);
  ClientSwarm clients(deadline, first.port());
  const auto members = connectToDifferentWorkers(first, clients, 2);
  for (const auto id : members) clients.join(id, "123");
  std::vector<std::string> sent;
  const auto sendSome = [&] {
    for (int i = 0; i < 200; ++i) {
      sent.push_back(std::to_string(sent.size()));
      clients.sendToGroup(members[0], "123", sent.back());
    }
  };
  sendSome();
  clients.waitForMessages(members[0], 1);  // of many that are in flight
  channel.foreground().signal(SIGTERM);
  EXPECT_EQ(channel.foreground().waitForEnd().status, 0);
  sendSome();
  startChannel(url);
  sendSome();
  for (const auto id : members) {
    clients.waitForMessages(id, sent.size());
    EXPECT_EQ(clients[id].texts(), sent);
  }
}

}  // namespace
}  // namespace stormo::integration
