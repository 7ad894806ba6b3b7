// Clients that hold, flood, reset or do not read their connections harm nobody else: members of a
// group receive each message once and in order meanwhile.
#include <gmock/gmock.h>
#include <poll.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "integration/harness/with_stormo.h"
#include "support/raw_peer.h"
#include "support/websocket_client.h"

namespace stormo::integration {
namespace {

using test::RawPeer;
using test::WebSocketClient;

class HostileClients : public WithStormo {
 protected:
  /// Two members on different workers, one of which sends.
  void startWithMembers(const Words& options = {}) {
    Words words = {"--workers", "2"};
    words.insert(words.end(), options.begin(), options.end());
    startStormo(words);
    port_ = stormo.port();
    members_ = membersOnDifferentWorkers("honest");
  }
  RawPeer connect() const { return RawPeer::connect(port_); }

  /// The first member sends messages, each when both have received the one before, and calls
  /// `attack` before each. Expects all at both members, in order.
  void exchangeDuring(int messages, const std::function<void(int)>& attack,
                      const std::string& filling = {}) {
    for (const Id id : members_) clients().clear(id);
    Texts sent;
    for (int i = 0; i < messages; ++i) {
      attack(i);
      sent.push_back(std::to_string(sent.size()) + ' ' + filling);
      clients().sendToGroup(members_[0], "honest", sent.back());
      for (const Id id : members_) clients().waitForMessages(id, sent.size());
    }
    for (const Id id : members_) EXPECT_EQ(clients()[id].texts(), sent);
  }
  void expectThatNewClientsConnect() {
    const Id id = clients().connect();
    clients().join(id, "honest");
  }
  /// The status of the server's answer; 0 if it disconnects without one.
  int awaitStatus(WebSocketClient& client) {
    while (!client.answered() && !client.ended()) {
      deadline.check("an answer");
      pollfd ready{.fd = client.raw().fd(), .events = POLLIN, .revents = 0};
      ::poll(&ready, 1, deadline.pollMilliseconds());
    }
    return client.answered() ? client.status() : 0;
  }
  /// Of all workers.
  std::uint64_t refusedBy(const char* limit) {
    const Json status = stormo.status();
    std::uint64_t sum = 0;
    for (const Json& row : status.at("processes")) {
      if (row.at("kind") != "worker") continue;
      sum += row.at("limits").at(limit).at("refused").get<std::uint64_t>();
    }
    return sum;
  }

  std::uint16_t port_ = 0;
  std::vector<Id> members_;
};

TEST_F(HostileClients, SlowLorisByTheThousandKeepsNobodyOut) {
  startWithMembers({"--handshakes", "100"});
  std::vector<RawPeer> hostile;
  exchangeDuring(20, [&](int i) {
    for (int k = 0; k < 100; ++k) {
      hostile.push_back(connect());
      hostile.back().send("GET / HTTP/1.1\r\nX-Slow: ");
    }
    for (RawPeer& each : hostile) each.send("x");
    if (i % 5 == 4) expectThatNewClientsConnect();
  });
  EXPECT_GE(refusedBy("handshakes"), 1000u);
}

TEST_F(HostileClients, AFloodOfConnectionsOfOneAddressIsRefused) {
  startWithMembers({"--connections-per-address", "40", "--trusted-proxies", "127.0.0.1"});
  std::vector<WebSocketClient> hostile;
  const auto begin = [&] {
    hostile.emplace_back(connect());
    hostile.back().sendHandshake("/", "X-Forwarded-For: 203.0.113.9\r\n");
  };
  exchangeDuring(20, [&](int i) {
    for (int k = 0; k < 40; ++k) begin();
    if (i % 5 == 4) expectThatNewClientsConnect();
  });
  std::map<int, int> answers;  // by their status
  for (WebSocketClient& client : hostile) ++answers[awaitStatus(client)];
  EXPECT_THAT(answers, testing::ElementsAre(testing::Pair(101, 40), testing::Pair(429, 760)));
  EXPECT_EQ(refusedBy("connections_per_address"), 760u);
  // Each client that is closed leaves its place to another one.
  hostile.clear();
  stormo.waitForStatus("the honest clients alone",
                       [](const Json& status) { return clientsIn(status) == 6; });
  for (int k = 0; k < 41; ++k) {
    begin();
    EXPECT_EQ(awaitStatus(hostile.back()), k < 40 ? 101 : 429);
  }
  EXPECT_EQ(refusedBy("connections_per_address"), 761u);
}

TEST_F(HostileClients, ResetsAtEachStageHarmNobody) {
  startWithMembers();
  const std::string life = WebSocketClient::request() +
                           WebSocketClient::text(R"({"cmd":"add_group","group_id":"honest"})") +
                           WebSocketClient::text(R"({"cmd":"ping"})") +
                           WebSocketClient::frame(0x88, "\x03\xe8");
  const int stages = static_cast<int>(life.size());
  exchangeDuring(stages, [&](int stage) {
    for (const bool reset : {false, true}) {
      RawPeer peer = connect();
      peer.send(std::string_view(life).substr(0, static_cast<std::size_t>(stage)));
      reset ? peer.reset() : peer.close();
    }
  });
  expectThatNewClientsConnect();
  stormo.waitForStatus("the members alone",
                       [](const Json& status) { return clientsIn(status) == 3; });
}

TEST_F(HostileClients, MembersThatDoNotReadOrReadAByteAtATimeDelayNobody) {
  startWithMembers({"--send-buffer-bytes", "65536", "--output-bytes", "8388608"});
  std::vector<RawPeer> hostile;
  for (int i = 0; i < 20; ++i) {
    hostile.push_back(connect());
    hostile.back().send(WebSocketClient::request() +
                        WebSocketClient::text(R"({"cmd":"add_group","group_id":"honest"})"));
  }
  stormo.waitForStatus("all members", [](const Json& status) { return clientsIn(status) == 22; });
  exchangeDuring(
      100,
      [&](int) {
        for (std::size_t i = 0; i < hostile.size(); i += 2) hostile[i].receive(1);
      },
      std::string(64 << 10, 'x'));
}

}  // namespace
}  // namespace stormo::integration
