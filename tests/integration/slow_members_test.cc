// Clients that do not read, in groups with a policy for them.
#include <gmock/gmock.h>
#include <poll.h>

#include "integration/harness/with_stormo.h"
#include "support/tls_peer.h"
#include "support/websocket_client.h"

namespace stormo::integration {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SlowMembers : public WithStormo {
 protected:
  /// Of all workers, for the rule with that pattern.
  std::uint64_t count(const std::string& pattern, const std::string& counter) {
    std::uint64_t sum = 0;
    const Json status = stormo.status();
    for (const Json& row : status.at("processes")) {
      if (row.at("kind") != "worker") continue;
      for (const Json& rule : row.at("slow_groups")) {
        if (rule.at("groups") == pattern) sum += rule.at(counter).get<std::uint64_t>();
      }
    }
    return sum;
  }
  /// Sends to `group`, which a client that does not read has joined, until messages are dropped.
  void fill(Id publisher, const std::string& group) {
    const std::string text(60'000, 'f');
    while (count(group, "dropped") == 0) {
      for (int i = 0; i < 20; ++i) clients().sendToGroup(publisher, group, text);
      clients().settle({publisher});
    }
  }
};

TEST_F(SlowMembers, OneAmongAThousandMissesMessagesAndTheOthersMissNothing) {
  startStormo({"--workers", "1", "--ping-interval", "0", "--send-buffer-bytes", "1000000", "--slow",
               "fill=drop-oldest", "--slow", "all=latest"});
  const std::vector<Id> others = clients().connect(1000);
  clients().joinAll(others, [](std::size_t) { return "all"; });

  const std::uint64_t before = groupsIn(stormo.status());
  test::WebSocketClient slow(test::RawPeer::connect(stormo.port()));
  slow.sendHandshake("/", "Sec-WebSocket-Protocol: stormo.v1\r\n");
  slow.sendText(R"({"id":1,"cmd":"join","group":"fill"})");
  slow.sendText(R"({"id":2,"cmd":"join","group":"all"})");
  stormo.waitForStatus("the slow client's joins", [&](const Json& status) {
    return WithStormo::groupsIn(status) == before + 2;  // clients of stormo.v1 are counted apart
  });
  fill(others[0], "fill");

  Texts expected;
  std::size_t delivered = 0;
  for (const Id id : others) clients().clear(id);
  clients().onMessage = [&](Id, const SwarmClient::Received&) { ++delivered; };
  for (int i = 0; i < 200; ++i) {
    expected.push_back(std::to_string(i));
    clients().sendToGroup(others[1], "all", expected.back());
  }
  clients().runUntil("all deliveries", [&] { return delivered >= 200'000; });
  for (const Id id : others) ASSERT_TRUE(clients()[id].texts() == expected);
  EXPECT_EQ(count("all", "dropped"), 199u);
  for (const Json& row : stormo.connections()) {
    EXPECT_LE(row.at("send_queue_bytes").get<std::size_t>(), 1'200'000u);
  }

  // The slow client reads on: it receives the newest message, and how many are missing before.
  Texts ofAll;
  while (ofAll.size() < 2) {
    const auto frame = slow.await();
    ASSERT_TRUE(frame.has_value());
    if (frame->payload.find("\"all\"") != std::string::npos) ofAll.push_back(frame->payload);
  }
  EXPECT_THAT(ofAll, ElementsAre(R"({"event":"missed","group":"all","count":199})",
                                 HasSubstr(R"("message":"199"})")));
}

TEST_F(SlowMembers, AClientOverTlsMissesWholeMessages) {
  const std::string files = stormo.folder() + "/dev";
  ASSERT_EQ(SpawnedProgram(deadline, {STORMO_BIN_DIR "/stormo", "dev-cert", "--name", files})
                .waitForEnd()
                .status,
            0);
  stormo.start(freePort({"--workers", "1", "--ping-interval", "0", "--send-buffer-bytes", "1000000",
                         "--slow", "fill=drop-newest", "--tls-cert", files + ".crt", "--tls-key",
                         files + ".key", "--deflate"}));
  const auto connect = [&](std::unique_ptr<test::TlsPeer>& tls, test::RawPeer& socket) {
    socket = test::RawPeer::connect(stormo.port());
    tls = std::make_unique<test::TlsPeer>(socket.fd());
    const auto readable = [&] {
      pollfd ready{.fd = socket.fd(), .events = POLLIN, .revents = 0};
      return ::poll(&ready, 1, 30'000) == 1;
    };
    while (!tls->shakeHands()) ASSERT_TRUE(readable());
    tls->send(test::WebSocketClient::request("/", "Sec-WebSocket-Protocol: stormo.v1\r\n"));
    std::string head;
    while ((head += tls->take()).find("\r\n\r\n") == std::string::npos) ASSERT_TRUE(readable());
  };
  test::RawPeer slowSocket;
  test::RawPeer senderSocket;
  std::unique_ptr<test::TlsPeer> slow;
  std::unique_ptr<test::TlsPeer> sender;
  connect(slow, slowSocket);
  connect(sender, senderSocket);
  slow->send(test::WebSocketClient::text(R"({"id":1,"cmd":"join","group":"fill"})"));
  stormo.waitForStatus("the slow client's join",
                       [](const Json& status) { return WithStormo::groupsIn(status) == 1; });
  int sent = 0;
  while (count("fill", "dropped") < 10) {
    for (int i = 0; i < 20; ++i) {
      const std::string number = std::to_string(++sent);
      sender->send(test::WebSocketClient::text(R"({"id":)" + number +
                                               R"(,"cmd":"send","group":"fill","message":")" +
                                               number + std::string(30'000, '.') + "\"}"));
    }
    (void)sender->take();
  }
  // After this message all others are on their way to the slow client, or dropped.
  sender->send(
      test::WebSocketClient::text(R"({"id":100000,"cmd":"join","group":"fence"})") +
      test::WebSocketClient::text(R"({"id":100001,"cmd":"send","group":"fence","message":"!"})"));
  for (std::string fence; fence.find(R"("message":"!")") == std::string::npos;) {
    pollfd ready{.fd = senderSocket.fd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&ready, 1, 30'000), 1);
    fence += sender->take();
  }
  // The order of all frames, and that none is cut, follows from the count of what arrives.
  std::string received;
  const std::string missed = R"({"event":"missed","group":"fill","count":)";
  std::size_t at = std::string::npos;
  while ((at = received.find(missed)) == std::string::npos ||
         received.find('}', at) == std::string::npos) {
    pollfd ready{.fd = slowSocket.fd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&ready, 1, 30'000), 1);
    received += slow->take();
  }
  int next = 1;
  for (std::size_t found = 0;
       (found = received.find("\"message\":\"" + std::to_string(next) + ".", found)) < at;) {
    ++next;
  }
  EXPECT_GT(next, 10);
  EXPECT_EQ(std::stoull(received.substr(at + missed.size())) + static_cast<std::size_t>(next) - 1,
            static_cast<std::size_t>(sent));
}

}  // namespace
}  // namespace stormo::integration
