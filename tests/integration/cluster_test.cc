// Two servers with a real nats-server: what their clients see while parts of it are killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "integration/harness/client_swarm.h"
#include "integration/harness/program_instance.h"
#include "integration/harness/shell_outcome.h"
#include "integration/harness/tcp_peer.h"
#include "support/nats_server.h"

namespace stormo::integration {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;

using Id = ClientSwarm::Id;
using Texts = std::vector<std::string>;

/// A server of the cluster, and its clients.
class Node {
 public:
  Node(const Deadline& deadline, std::string nodeName)
      : name(std::move(nodeName)), program(deadline), deadline_(deadline) {}

  void start(const test::NatsServer& nats) {
    program.start({"--listen", "websocket://127.0.0.1:0", "--workers", "2", "--cluster", nats.url(),
                   "--nats-max-bytes", "268435456", "--node", name, "--node-gone-seconds", "1"});
    port_ = program.port();
    clients = std::make_unique<ClientSwarm>(deadline_, port_);
  }
  /// A client that is a member of that group.
  Id member(const std::string& group) const {
    const Id id = clients->connect();
    clients->join(id, group);
    return id;
  }
  [[nodiscard]] bool isReady() const { return readiness().find(" 200 OK") != std::string::npos; }
  [[nodiscard]] std::string readiness() const {
    return httpExchange(deadline_, port_, "GET /ready HTTP/1.0\r\n\r\n");
  }
  /// `nodes --json`.
  Json nodes() { return Json::parse(program.succeed({"nodes", "--json"})).at("nodes"); }
  /// The state of that node as this one knows it; empty if it does not.
  std::string stateOf(const std::string& node) {
    const Json rows = nodes();
    for (const Json& row : rows) {
      if (row.at("node") == node) return row.at("state");
    }
    return {};
  }

  const std::string name;
  ProgramInstance program;
  std::unique_ptr<ClientSwarm> clients;

 private:
  const Deadline& deadline_;
  std::uint16_t port_ = 0;
};

class ClusterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!test::isNatsServerInstalled()) GTEST_SKIP() << "nats-server is not installed";
    nats = std::make_unique<test::NatsServer>(deadline);
    for (Node* node : {&h1, &h2}) node->start(*nats);
    a = h1.member("g");
    b = h2.member("g");
  }

  /// Sends texts "NAME FIRST", … from the client of each node, in turn.
  void send(int first, int count) {
    for (int i = first; i < first + count; ++i) {
      h1.clients->sendToGroup(a, "g", "h1 " + std::to_string(i));
      h2.clients->sendToGroup(b, "g", "h2 " + std::to_string(i));
    }
    for (Node* node : {&h1, &h2}) node->clients->runUntil("a write", [] { return true; });
  }
  [[nodiscard]] static Texts from(const std::string& name, const Texts& texts) {
    Texts found;
    std::ranges::copy_if(texts, std::back_inserter(found),
                         [&](const std::string& text) { return text.starts_with(name); });
    return found;
  }
  /// Both clients receive what send() has sent, once, in one order, and nothing else.
  void expectAllOnce(int count) {
    send(count, 1);  // the last ones
    const auto all = static_cast<std::size_t>(2 * (count + 1));
    h1.clients->waitForMessages(a, all);
    h2.clients->waitForMessages(b, all);
    h1.clients->settle({a});
    h2.clients->settle({b});
    const Texts seen = (*h1.clients)[a].texts();
    EXPECT_EQ(seen, (*h2.clients)[b].texts());
    EXPECT_EQ(seen.size(), all);
    for (const std::string name : {"h1", "h2"}) {
      Texts expected;
      for (int i = 0; i <= count; ++i) expected.push_back(name + ' ' + std::to_string(i));
      EXPECT_EQ(from(name, seen), expected);
    }
  }
  /// While the clients' loops run.
  void await(const std::string& what, const std::function<bool()>& condition) {
    h1.clients->runUntil(what, [&] {
      h2.clients->runUntil("a turn", [] { return true; });
      return condition();
    });
  }

  const Deadline deadline{std::chrono::seconds(120)};
  std::unique_ptr<test::NatsServer> nats;
  Node h1{deadline, "h1"};
  Node h2{deadline, "h2"};
  Id a = 0;  // a client of h1 in the group g
  Id b = 0;  // of h2
};

TEST_F(ClusterTest, MessagesOfBothNodesReachTheClientsOfBothInOneOrder) {
  send(0, 200);
  expectAllOnce(200);
}

TEST_F(ClusterTest, NodesListsAllNodesOnEachOfThem) {
  const Json rows = h1.nodes();
  ASSERT_EQ(rows.size(), 2u);
  for (const Json& row : rows) {
    EXPECT_THAT(row.at("id").get<std::string>(), ContainsRegex("^[0-9a-f]{16}$"));
    EXPECT_GE(row.at("silent_s"), 0.0);
    EXPECT_EQ(row.at("blocked"), nullptr);
    EXPECT_EQ(row.at("kind"), "channel");
  }
  EXPECT_NE(rows[0].at("id"), rows[1].at("id"));
  EXPECT_EQ(h1.stateOf("h1"), "this node");
  EXPECT_EQ(h1.stateOf("h2"), "here");
  EXPECT_EQ(h2.stateOf("h1"), "here");
  EXPECT_EQ(h2.stateOf("h2"), "this node");
  const std::string id = rows[0].at("id");
  EXPECT_THAT(h2.program.succeed({"nodes"}),
              ContainsRegex("\nh1 +" + id + " +here +[0-9.]+ s ago\n"));
}

TEST_F(ClusterTest, MessagesWaitWhileNatsIsKilledAndArriveOnceWhenItIsBack) {
  send(0, 50);
  nats->kill();
  await("a node that is not ready", [&] { return !h1.isReady(); });
  await("a node that is not ready", [&] { return !h2.isReady(); });
  EXPECT_THAT(h1.readiness(), HasSubstr("the Channel cannot take messages at the moment"));
  EXPECT_THAT(h1.program.succeed({"nodes"}),
              ContainsRegex("\nh1 can take no messages at the moment: .+\n"));
  EXPECT_THAT(h2.program.succeed({"status"}), HasSubstr("stormo blocked"));
  send(50, 50);
  EXPECT_TRUE((*h1.clients)[a].isOpen());
  EXPECT_TRUE((*h2.clients)[b].isOpen());
  nats->start();
  await("nodes that are ready", [&] { return h1.isReady() && h2.isReady(); });
  expectAllOnce(100);
  EXPECT_EQ(h1.nodes().at(0).at("blocked"), nullptr);
}

TEST_F(ClusterTest, NodeStartsWithoutNatsAndTakesPartWhenItIsThere) {
  h2.program.succeed({"stop"});
  nats->kill();
  h2.start(*nats);
  EXPECT_THAT(h2.readiness(), HasSubstr(" 503 "));
  EXPECT_THAT(h2.program.succeed({"nodes"}), HasSubstr("h2 can take no messages at the moment: "));
  nats->start();
  await("nodes that are ready", [&] { return h1.isReady() && h2.isReady(); });
}

TEST_F(ClusterTest, NodeThatIsStoppedIsGoneAndHereAgainAfterItsStart) {
  const Json before = h1.nodes();
  h2.program.succeed({"stop"});
  await("a node that is gone", [&] { return h1.stateOf("h2") == "gone"; });
  EXPECT_EQ(h1.stateOf("h1"), "this node");
  EXPECT_TRUE(h1.isReady());
  h1.clients->sendToGroup(a, "g", "meanwhile");
  h1.clients->waitForMessages(a, 1);
  h1.clients->clear(a);
  h2.start(*nats);
  EXPECT_EQ(h1.stateOf("h2"), "here");
  EXPECT_EQ(h1.nodes().at(1).at("id"), before.at(1).at("id"));
  b = h2.member("g");
  send(0, 20);
  expectAllOnce(20);
}

TEST_F(ClusterTest, ChannelOfANodeThatIsKilledLosesAndRepeatsNothing) {
  int sent = 0;
  for (int round = 0; round < 3; ++round) {
    send(sent, 20);
    h1.program.killAndAwaitSuccessor(h1.program.pids("channel").at(0));
    send(sent + 20, 20);
    sent += 40;
  }
  expectAllOnce(sent);
  EXPECT_TRUE((*h1.clients)[a].isOpen());
}

/// A server that must not start, whether or not there is a nats-server.
class ClusterSettingsTest : public ::testing::Test {
 protected:
  void expectRefused(const Words& options, const std::string& expected) {
    Words words = {"start", "--listen", "websocket://127.0.0.1:0"};
    words.insert(words.end(), options.begin(), options.end());
    expectOneLine(program.run(words), 1, "stormo: " + expected);
  }

  const Deadline deadline;
  ProgramInstance program{deadline};
};

TEST_F(ClusterSettingsTest, AddressesThatAreNotOfANatsServerAreRefused) {
  const std::string form = "; a server of the cluster is written nats://host:port";
  expectRefused({"--cluster", "nats://"}, R"(cluster server "nats://": there is no host)" + form);
  expectRefused({"--cluster", "http://h1:4222"},
                R"(cluster server "http://h1:4222": the scheme must be nats or tls)" + form);
  expectRefused({"--cluster", "h1:99999"},
                R"(cluster server "h1:99999": the port must be a number from 1 to 65535)" + form);
  expectRefused({"--cluster", ","}, R"(cluster server "": there is no host)" + form);
}

TEST_F(ClusterSettingsTest, AClusterAndAChannelElsewhereAreRefused) {
  expectRefused({"--cluster", "nats://h1:4222", "--channel", "stormo://127.0.0.1:2206"},
                "--cluster joins the Channel of this server with others, and --channel uses one "
                "that runs elsewhere: set only one of them");
}

TEST_F(ClusterSettingsTest, NodesOfAServerWithoutAClusterIsAnError) {
  program.start({"--listen", "websocket://127.0.0.1:0", "--workers", "1"});
  expectOneLine(program.run({"nodes"}), 1,
                "stormo: this server is not part of a cluster (see --cluster)");
  const Outcome json = program.run({"nodes", "--json"});
  EXPECT_EQ(json.status, 1);
  EXPECT_THAT(json.errors, IsEmpty());
  const Json answer = Json::parse(json.output);
  EXPECT_EQ(answer.at("nodes"), Json::array());
  EXPECT_EQ(answer.at("reason"), "this server is not part of a cluster (see --cluster)");
}

}  // namespace
}  // namespace stormo::integration
