// The examples, each started and stopped by its own command line.
#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <sstream>

#include "integration/fixed_ports.h"
#include "integration/harness/tcp_peer.h"
#include "integration/harness/with_stormo.h"

namespace stormo::integration {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Received = SwarmClient::Received;
using Texts = std::vector<std::string>;

/// One running example, and clients of its port.
class Example : public ::testing::Test {
 protected:
  bool start(const std::string& name, std::initializer_list<std::uint16_t> ports) {
    if (!portsAreFree(ports)) return false;
    program_ = std::make_unique<ProgramInstance>(deadline, name);
    program_->start();
    clients_ = std::make_unique<ClientSwarm>(deadline, *ports.begin());
    return true;
  }

  void stopWithSuccess() {
    const auto stop = program().begin({"stop"});
    clients().runUntil("the stop", [&] { return stop->statusIfEnded().has_value(); });
    EXPECT_EQ(stop->waitForEnd().status, 0) << stop->errors();
    const Outcome outcome = program().foreground().waitForEnd();
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
  }

  ProgramInstance& program() { return *program_; }
  ClientSwarm& clients() { return *clients_; }

  const Deadline deadline;

 private:
  std::unique_ptr<ProgramInstance> program_;
  std::unique_ptr<ClientSwarm> clients_;
};

#define START_OR_SKIP(...) \
  if (!start(__VA_ARGS__)) GTEST_SKIP() << "somebody else listens on the ports of this example"

TEST_F(Example, GroupSendDeliversToMembersOnDifferentWorkers) {
  START_OR_SKIP("group_send", {1234, 2206});
  const auto pair = connectToDifferentWorkers(program(), clients(), 2);
  // Only an arriving message shows that a member has joined.
  for (const auto id : pair) clients().send(id, R"({"cmd":"add_group", "group_id":"123"})");
  for (int tries = 0; clients()[pair[0]].received.empty() || clients()[pair[1]].received.empty();
       ++tries) {
    clients().sendToGroup(pair[0], "123", "ready?");
    clients().sendToGroup(pair[1], "123", "ready?");
    const auto timeouts = Deadline::Clock::now() + std::chrono::milliseconds(100);
    clients().runUntil("both to be ready", [&] {
      return std::all_of(pair.begin(), pair.end(),
                         [&](auto id) { return !clients()[id].received.empty(); }) ||
             Deadline::Clock::now() > timeouts;
    });
  }
  clients().send(pair[0],
                 R"({"cmd":"send_to_group", "group_id":"123", "message":"Questo è un messaggio"})");
  clients().send(pair[0], R"({"cmd":"send_to_group", "group_id":"123", "message":"the end"})");
  for (const auto id : pair) {
    clients().runUntil("the end", [&] { return clients()[id].received.back().data == "the end"; });
    const Texts texts = clients()[id].texts();
    EXPECT_EQ(std::count(texts.begin(), texts.end(), "Questo è un messaggio"), 1);
    EXPECT_EQ(texts.at(texts.size() - 2), "Questo è un messaggio");
  }
  stopWithSuccess();
}

TEST_F(Example, GroupSendContinuesAfterAMessageThatTheChannelRefuses) {
  START_OR_SKIP("group_send", {1234, 2206});
  const auto member = clients().connect();
  clients().send(member, R"({"cmd":"add_group", "group_id":"123"})");
  const auto awaitDelivery = [&](const std::string& text) {
    const auto has = [&] {
      const Texts texts = clients()[member].texts();
      return std::find(texts.begin(), texts.end(), text) != texts.end();
    };
    while (!has()) {  // nothing arrives before its worker has a link to the Channel
      clients().sendToGroup(member, "123", text);
      const auto timeouts = Deadline::Clock::now() + std::chrono::milliseconds(100);
      clients().runUntil(text, [&] { return has() || Deadline::Clock::now() > timeouts; });
    }
  };
  awaitDelivery("before");
  const std::string tooDeep = std::string(65, '[') + std::string(65, ']');
  std::string tooMany = "[0";
  for (int i = 0; i < 1'000'000; ++i) tooMany += ",0";
  tooMany += ']';
  for (const auto& [message, code] : {std::pair(tooDeep, CloseCode::PolicyViolation),
                                      std::pair(tooMany, CloseCode::TryAgainLater)}) {
    for (int i = 0; i < 3; ++i) {
      const auto hostile = clients().connect();
      clients().send(hostile,
                     R"({"cmd":"send_to_group","group_id":"123","message":)" + message + "}");
      clients().waitUntilClosed(hostile);
      EXPECT_EQ(clients()[hostile].closeCode, code);
    }
  }
  awaitDelivery("after");
  EXPECT_FALSE(clients()[member].isClosed());
  stopWithSuccess();
  EXPECT_THAT(program().foreground().errors(), Not(HasSubstr("closing the link")));
}

TEST_F(Example, EchoSendsBackTextAsTextAndBinaryAsBinaryOfAnyLength) {
  START_OR_SKIP("echo", {1235});
  const auto id = clients().connect();
  const std::string large(1 << 20, 'x');
  clients().send(id, "hello");
  clients().send(id, "鳥の群れ 🐦");
  clients().send(id, "");
  clients().sendBinary(id, std::string("\0\xff\x80", 3));
  clients().sendBinary(id, "");
  clients().send(id, large);
  clients().sendBinary(id, large);
  clients().waitForMessages(id, 7);
  EXPECT_TRUE(clients()[id].received == (std::vector<Received>{{"hello", false},
                                                               {"鳥の群れ 🐦", false},
                                                               {"", false},
                                                               {std::string("\0\xff\x80", 3), true},
                                                               {"", true},
                                                               {large, false},
                                                               {large, true}}));
  stopWithSuccess();
}

TEST_F(Example, ClientSendsItsArgumentsAndPrintsWhatItReceives) {
  START_OR_SKIP("echo", {1235});
  const std::string client = STORMO_BIN_DIR "/client";
  {
    test::SpawnedProgram running(deadline, {client, "ws://127.0.0.1:1235/any", "hello", "world"});
    running.waitForOutput("hello\nworld\n");
  }
  stopWithSuccess();
  const auto wrong = test::SpawnedProgram(deadline, {client, "ws://"}).waitForEnd();
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.errors, StartsWith("bad URL 'ws://': no host"));
}

TEST_F(Example, EchoAcceptsMessagesUpTo64MiB) {
  START_OR_SKIP("echo", {1235});
  const auto id = clients().connect();
  const std::string longest(64 << 20, 'x');
  clients().send(id, longest);
  clients().waitForMessages(id, 1);
  EXPECT_TRUE(clients()[id].received[0].data == longest);
  clients().send(id, longest + 'y');
  clients().waitUntilClosed(id);
  EXPECT_EQ(clients()[id].closeCode, CloseCode::TooBig);
  stopWithSuccess();
}

TEST_F(Example, EchoAppliesBackpressureToAClientThatDoesNotRead) {
  START_OR_SKIP("echo", {1235});
  const auto id = clients().connect();
  const std::string block(1 << 20, 'b');
  constexpr std::size_t kBlocks = 100;  // together more than all buffers on the path
  for (std::size_t i = 0; i < kBlocks; ++i) clients().send(id, block);
  clients().waitForMessages(id, kBlocks);
  for (const auto& received : clients()[id].received) EXPECT_TRUE(received.data == block);
  stopWithSuccess();
}

TEST_F(Example, ChatDeliversMessagesOnlyWithinARoom) {
  START_OR_SKIP("chat", {1236});
  const auto ann = clients().connect("/kitchen");
  const auto ben = clients().connect("/kitchen");
  const auto eve = clients().connect("/garden");
  const auto hasReceived = [&](ClientSwarm::Id id, const std::string& who,
                               const std::string& text) {
    const Texts texts = clients()[id].texts();
    return std::any_of(texts.begin(), texts.end(), [&](const std::string& each) {
      const Json message = Json::parse(each);
      return message.at("who") == who && message.at("text") == text;
    });
  };
  clients().send(ann, R"({"name":"Ann"})");
  clients().send(ben, R"({"name":"Ben"})");
  clients().send(eve, R"({"name":"Eve"})");
  clients().runUntil("all names", [&] {
    return hasReceived(ann, "Ben", "came in") && hasReceived(ben, "Ben", "came in") &&
           hasReceived(eve, "Eve", "came in");
  });
  clients().send(ann, R"({"text":"ciao, Ben"})");
  clients().runUntil("a message of Ann", [&] { return hasReceived(ben, "Ann", "ciao, Ben"); });
  clients().close(ann);
  clients().runUntil("the leave of Ann", [&] { return hasReceived(ben, "Ann", "left"); });
  EXPECT_EQ(clients()[eve].received.size(), 1u);

  const auto nowhere = clients().begin("/");
  clients().waitUntilClosed(nowhere);
  EXPECT_EQ(clients()[nowhere].httpStatus, 404);
  EXPECT_THAT(
      httpExchange(deadline, 1236, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
      StartsWith("HTTP/1.1 200 OK\r\n"));
  stopWithSuccess();
}

TEST_F(Example, QueueWorkerDoesEachJobOnce) {
  START_OR_SKIP("queue_worker", {1237});
  constexpr int kJobs = 300;
  TcpPeer peer(deadline, 1237);
  for (int i = 0; i < kJobs; ++i) peer.send("job " + std::to_string(i) + "\n");
  for (int i = 0; i < kJobs; ++i)
    EXPECT_EQ(peer.readThrough("\n"), "accepted: job " + std::to_string(i) + "\n");

  // Jobs start in order, but three workers report them.
  std::map<std::string, int> done;
  std::set<std::string> workers;
  for (int i = 0; i < kJobs; ++i)
    program().foreground().waitForOutput("does: job " + std::to_string(i) + "\n");
  stopWithSuccess();
  std::istringstream output(program().foreground().output());
  for (std::string line; std::getline(output, line);) {
    const std::size_t at = line.find(" does: ");
    if (at == std::string::npos) continue;
    ++done[line.substr(at + 7)];
    workers.insert(line.substr(0, at));
  }
  EXPECT_EQ(done.size(), static_cast<std::size_t>(kJobs));
  for (const auto& [job, times] : done) EXPECT_EQ(times, 1) << job;
  EXPECT_EQ(workers.size(), 3u);
}

TEST_F(Example, MembersHaveTheirRulesAndTheReadyServersProtocols) {
  START_OR_SKIP("members", {1239});
  const auto nobody = clients().begin("/");
  clients().waitUntilClosed(nobody);
  EXPECT_EQ(clients()[nobody].httpStatus, 403);
  const auto ann = clients().connect("/?name=ann");
  clients().send(ann, R"({"cmd":"add_group","group_id":"user.ben"})");
  clients().waitForMessages(ann, 1);
  EXPECT_THAT(clients()[ann].received[0].data, HasSubstr("forbidden"));
  clients().send(ann, R"({"cmd":"add_group","group_id":"lobby"})");
  clients().waitForMessages(ann, 2);
  EXPECT_EQ(clients()[ann].received[1].data, "ann came in");
  clients().send(ann, R"({"cmd":"time","id":7})");
  clients().waitForMessages(ann, 3);
  EXPECT_THAT(clients()[ann].received[2].data, StartsWith(R"({"id":7,"time":)"));
  clients().sendToGroup(ann, "lobby", std::string(1001, 'x'));
  clients().waitForMessages(ann, 4);
  EXPECT_THAT(clients()[ann].received[3].data, HasSubstr("forbidden"));
  stopWithSuccess();
}

TEST_F(Example, LinesSendsEachLineBack) {
  START_OR_SKIP("lines", {1240});
  TcpPeer peer(deadline, 1240);
  peer.send("one\ntwo\n");
  EXPECT_EQ(peer.readThrough("two\n"), "one\ntwo\n");
  stopWithSuccess();
}

TEST_F(Example, LookupAnswersFromAThread) {
  START_OR_SKIP("lookup", {1238});
  TcpPeer peer(deadline, 1238);
  peer.send("127.0.0.1\n");
  EXPECT_EQ(peer.readThrough("\n"), "127.0.0.1 is 127.0.0.1\n");
  peer.send("no such host\n");
  EXPECT_THAT(peer.readThrough("\n"), StartsWith("no such host: "));
  stopWithSuccess();
}

TEST_F(Example, HttpAnswersAndStreamsEvents) {
  START_OR_SKIP("http", {8080});
  const auto ask = [&](const std::string& line, const std::string& rest) {
    return httpExchange(deadline, 8080, line + " HTTP/1.0\r\n" + rest);
  };
  EXPECT_THAT(ask("GET /hello?name=Ada", "\r\n"), EndsWith("\r\n\r\nHello Ada\n"));
  EXPECT_THAT(ask("POST /echo", "Content-Length: 4\r\n\r\ntext"), EndsWith("\r\n\r\ntext"));
  EXPECT_THAT(ask("GET /nothing", "\r\n"), StartsWith("HTTP/1.1 404 "));
  TcpPeer clock(deadline, 8080);
  clock.send("GET /clock HTTP/1.0\r\n\r\n");
  EXPECT_THAT(clock.readThrough("\n\n"), HasSubstr("Content-Type: text/event-stream\r\n"));
  stopWithSuccess();
}

TEST_F(Example, GroupsDeliversToMembersOnDifferentWorkers) {
  START_OR_SKIP("groups", {1234});
  const auto pair = connectToDifferentWorkers(program(), clients(), 2);
  for (const auto id : pair) clients().join(id, "123");
  clients().sendToGroup(pair[0], "123", "Questo è un messaggio");
  for (const auto id : pair) clients().waitForMessages(id, 1);
  clients().send(pair[0], "?");
  clients().waitUntilClosed(pair[0]);
  EXPECT_EQ(clients()[pair[0]].closeCode, CloseCode::PolicyViolation);
  for (const auto id : pair) EXPECT_EQ(clients()[id].texts(), Texts{"Questo è un messaggio"});
  stopWithSuccess();
}

TEST_F(Example, AllTakeTheSameCommands) {
  for (const char* name : {"groups", "group_send", "lines", "echo", "chat", "queue_worker",
                           "members", "lookup", "http"}) {
    ProgramInstance example(deadline, name);
    EXPECT_THAT(example.succeed({"--help"}), HasSubstr("reload"));
    EXPECT_THAT(example.run({"stop"}).errors, HasSubstr(std::string(name) + ": not running"));
  }
}

}  // namespace
}  // namespace stormo::integration

int main(int argc, char** argv) {
  stormo::integration::enterPrivateNetwork();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
