// `stormo bench` with the real server, which has no faults, and with servers that have one fault
// each, which it must find.
#include <gmock/gmock.h>
#include <sys/socket.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <map>
#include <thread>

#include "bench/server_usage.h"
#include "bench/stamp.h"
#include "integration/harness/with_stormo.h"
#include "net/codec/websocket_codec.h"
#include "net/connection_table.h"
#include "net/listener.h"
#include "protocol/client/group_command.h"
#include "sys/sockets.h"

namespace stormo::integration {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string urlOf(std::uint16_t port) { return "ws://127.0.0.1:" + std::to_string(port) + "/"; }

class LoadGenerator : public WithStormo {
 protected:
  static Words commandLine(const Words& options) {
    Words words = {STORMO_BIN_DIR "/stormo", "bench"};
    words.insert(words.end(), options.begin(), options.end());
    return words;
  }
  /// With the server that listens at the URL.
  [[nodiscard]] Outcome bench(const std::string& url, Words options) const {
    options.insert(options.end(), {"--url", url, "-t", "0.2"});
    return SpawnedProgram(deadline, commandLine(options)).waitForEnd();
  }
  /// With a `stormo` that is started for it.
  Outcome benchStormo(Words options) {
    startStormo();
    options.insert(options.end(), {"--warm-up", "0.1"});
    return bench(urlOf(stormo.port()), options);
  }

  static void expectComplete(const Outcome& outcome) {
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
    EXPECT_THAT(outcome.output, HasSubstr("all messages received, in order, no duplicates\n"));
    EXPECT_THAT(outcome.errors, IsEmpty());
  }
  static void expectOneLine(const Outcome& outcome, int status, const std::string& expected) {
    EXPECT_EQ(outcome.status, status);
    EXPECT_THAT(outcome.output, IsEmpty());
    EXPECT_THAT(outcome.errors, HasSubstr(expected));
    EXPECT_EQ(std::ranges::count(outcome.errors, '\n'), 1) << outcome.errors;
  }
};

TEST_F(LoadGenerator, AClosedLoopIsComplete) {
  expectComplete(benchStormo({"-m", "12", "-g", "3", "-p", "6"}));
}

TEST_F(LoadGenerator, AnOpenLoopIsComplete) {
  expectComplete(benchStormo({"-m", "12", "-g", "3", "-p", "6", "-r", "500"}));
}

// With this many members most of them only count bytes.
TEST_F(LoadGenerator, SeveralProcessesAreOneGenerator) {
  expectComplete(benchStormo({"-m", "300", "-g", "3", "-p", "3", "--processes", "2"}));
}

TEST_F(LoadGenerator, AllMembersMayCheckMessages) {
  expectComplete(benchStormo({"-m", "150", "-g", "3", "-p", "3", "--check-all"}));
}

// With this many members most of them only count bytes.
TEST_F(LoadGenerator, ATestOverTlsIsComplete) {
  const std::string name = stormo.folder() + "/dev";
  ASSERT_EQ(SpawnedProgram(deadline, {STORMO_BIN_DIR "/stormo", "dev-cert", "--name", name})
                .waitForEnd()
                .status,
            0);
  stormo.start(freePort({"--tls-cert", name + ".crt", "--tls-key", name + ".key"}));
  const std::string url = "wss://localhost:" + std::to_string(stormo.port());
  const Words trusting = {"--ca-file", name + ".crt", "--warm-up", "0.1"};
  for (const char* protocol : {"groups", "stormo.v1"}) {
    Words options = {"-m", "120", "-g", "3", "-p", "3", "--protocol", protocol};
    options.insert(options.end(), trusting.begin(), trusting.end());
    expectComplete(bench(url, options));
  }
  expectOneLine(bench(url, {}), 1, "TLS: the certificate is not accepted: self-signed certificate");
}

TEST_F(LoadGenerator, IdleConnectionsAreMeasured) {
  const Outcome outcome = benchStormo({"-m", "12", "-g", "3", "-p", "0"});
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("12 members in 3 groups"),
                                    HasSubstr("bytes a connection"), Not(HasSubstr("FAULTS"))));
}

TEST_F(LoadGenerator, ATestRunsWithoutAWarmUp) {
  startStormo();
  expectComplete(bench(urlOf(stormo.port()),
                       {"-m", "4", "-g", "1", "-p", "4", "-w", "100", "--warm-up", "0"}));
  EXPECT_GE(stormo.sum("messages_in"), 400u);
}

TEST_F(LoadGenerator, JsonHasTheResults) {
  const Outcome outcome = benchStormo({"-m", "12", "-g", "3", "-p", "6", "--json"});
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  const Json json = Json::parse(outcome.output);
  EXPECT_EQ(json.at("flawless"), true);
  EXPECT_EQ(json.at("members"), 12);
  EXPECT_EQ(json.at("server").at("processes"), 4);  // master, channel, two workers
}

TEST_F(LoadGenerator, AServerThatDoesNotListenIsReported) {
  const UniqueFd bound(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));  // and never listens
  const Address address = *Address::ip("127.0.0.1", 0);
  ASSERT_EQ(::bind(bound.get(), address.raw(), address.size()), 0);
  expectOneLine(bench(urlOf(localAddress(bound.get()).port()), {"-m", "2", "-g", "1", "-p", "1"}),
                1, "0 of 2 members could join (connect: Connection refused)");
}

TEST_F(LoadGenerator, AServerThatClosesOnTheFirstMessageIsReported) {
  startStormo({"--message-bytes", "1000"});
  expectOneLine(bench(urlOf(stormo.port()), {"-m", "2", "-g", "1", "-p", "1", "-b", "2000"}), 1,
                "0 of 2 members receive messages of their group (the server closed the WebSocket)");
}

TEST_F(LoadGenerator, AGeneratorProcessThatEndsFailsTheTest) {
  startStormo();
  SpawnedProgram program(deadline, commandLine({"--url", urlOf(stormo.port()), "-t", "1000"}));
  std::vector<pid_t> pids;
  ASSERT_TRUE(eventually(deadline, [&] {
    pids = stormo::bench::ServerUsage::of(program.pid()).pids();
    return pids.size() == 2;
  }));
  ::kill(pids[0] == program.pid() ? pids[1] : pids[0], SIGKILL);
  expectOneLine(program.waitForEnd(), 1, "a process of the generator has ended");
}

TEST_F(LoadGenerator, InvalidArgumentsAreStatusTwo) {
  const Words table[] = {
      {"strayed"},
      {"--no-such-option"},
      {"-m", "0"},
      {"-m", "many"},
      {"-t", "0"},
      {"-r", "10", "-w", "3"},
      {"-p", "0", "--publish", "no message"},
      {"--url", "http://127.0.0.1:1/"},
      {"--url", "ws://127.0.0.1/"},
      {"--ca-file", "none.crt"},
      {"--url", "wss://127.0.0.1:1/", "--ca-file", "none.crt"},
  };
  for (const Words& words : table) {
    const Outcome outcome = SpawnedProgram(deadline, commandLine(words)).waitForEnd();
    EXPECT_EQ(outcome.status, 2) << words.front();
    EXPECT_THAT(outcome.output, IsEmpty()) << words.front();
    EXPECT_THAT(outcome.errors, Not(IsEmpty())) << words.front();
  }
}

/// The member that the fault concerns: the sender of the message, which checks what it receives, or
/// another member of its group, which counts bytes.
enum class Recipient { Sender, Another };

/// A group server in a thread of its own that makes one mistake, with the second message of the
/// run.
class FaultyServer {
 public:
  /// The action instead of sending the message to the member.
  using Mistake = std::function<void(Connection& member, Message message)>;

  FaultyServer(Recipient recipient, Mistake mistake)
      : recipient_(recipient), mistake_(std::move(mistake)) {}

  [[nodiscard]] std::string url() const { return urlOf(localAddress(listening_.get()).port()); }

 private:
  void serve(const std::stop_token& stop) {
    EventLoop loop;
    const net::WebSocketCodec codec({});
    net::Endpoint endpoint;
    endpoint.codec = &codec;
    endpoint.handlers.onMessage = [this](Connection& sender, Message message) {
      onMessage(sender, message);
    };
    net::Listener listener(loop, endpoint);
    listener.start(listening_.get());
    while (!stop.stop_requested()) loop.turn(std::chrono::milliseconds(5));
  }

  void onMessage(Connection& sender, Message message) {
    GroupRequest request;
    if (decoder_.decode(message, request) != CommandError::None) return;
    std::vector<ConnectionId>& group = groups_[std::string(request.group)];
    if (request.command == GroupCommand::AddGroup) return group.push_back(sender.id());
    const auto stamp = stormo::bench::readStamp(request.message);
    bool isFaulty = stamp && stamp->sequence == 2;
    for (const ConnectionId id : group) {
      Connection* member = net::ConnectionTable::of(EventLoop::current()).find(id);
      if (member == nullptr) continue;
      if (isFaulty && (id == sender.id()) == (recipient_ == Recipient::Sender)) {
        isFaulty = false;
        mistake_(*member, request.message);
      } else {
        (void)member->send(request.message);
      }
    }
  }

  const Recipient recipient_;
  const Mistake mistake_;
  GroupCommandDecoder decoder_;
  std::map<std::string, std::vector<ConnectionId>> groups_;
  const UniqueFd listening_ = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  std::jthread thread_{[this](const std::stop_token& stop) { serve(stop); }};
};

TEST_F(LoadGenerator, ACorrectServerIsComplete) {
  const FaultyServer server(
      Recipient::Another, [](Connection& member, Message message) { (void)member.send(message); });
  expectComplete(bench(server.url(), {"-m", "4", "-g", "1", "-p", "1", "--warm-up", "0.1"}));
}

class LoadGeneratorReports : public LoadGenerator, public testing::WithParamInterface<Recipient> {
 protected:
  [[nodiscard]] Outcome benchServerThat(FaultyServer::Mistake mistake) const {
    const FaultyServer server(GetParam(), std::move(mistake));
    return bench(server.url(),
                 {"-m", "4", "-g", "1", "-p", "1", "--warm-up", "0.1", "--timeout", "0.3"});
  }
  static void expectFault(const Outcome& outcome, const std::string& regex) {
    EXPECT_EQ(outcome.status, 1) << outcome.errors;
    EXPECT_THAT(outcome.output, ContainsRegex("FAULTS .*" + regex));
    EXPECT_THAT(outcome.output, Not(HasSubstr("complete")));
  }
};

INSTANTIATE_TEST_SUITE_P(, LoadGeneratorReports,
                         testing::Values(Recipient::Sender, Recipient::Another),
                         [](const auto& recipient) {
                           return recipient.param == Recipient::Sender ? "OfItsSender"
                                                                       : "OfAnother";
                         });

TEST_P(LoadGeneratorReports, ALostMessage) {
  expectFault(benchServerThat([](Connection&, Message) {}), "[1-9][0-9]* messages missing");
}

TEST_P(LoadGeneratorReports, AMessageSentTwice) {
  const Outcome outcome = benchServerThat([](Connection& member, Message message) {
    for (int i = 0; i < 2; ++i) (void)member.send(message);
  });
  expectFault(outcome, "[1-9][0-9]* too many");
}

TEST_P(LoadGeneratorReports, AConnectionThatIsClosed) {
  expectFault(benchServerThat([](Connection& member, Message) { member.destroy(); }),
              "1 connections closed");
}

// A member that counts bytes does not see it, but misses the messages after it.
TEST_P(LoadGeneratorReports, ACloseFrame) {
  expectFault(benchServerThat([](Connection& member, Message) { member.close(); }),
              "(1 connections closed|[1-9][0-9]* messages missing)");
}

}  // namespace
}  // namespace stormo::integration
