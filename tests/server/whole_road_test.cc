// A group message's whole road in one loop: clients, a worker, the Channel, and back. What it costs
// is counted, not timed: by the program's own counters, and by how often operator new runs.
#include <gtest/gtest.h>
#include <stormo/channel/server.h>
#include <stormo/worker.h>
#include <sys/socket.h>

#include <array>
#include <optional>

#include "channel/server_process.h"
#include "process/child.h"
#include "protocol/websocket_frame.h"
#include "server/group_server.h"
#include "support/allocation_count.h"
#include "support/loop_fixture.h"
#include "support/websocket_client.h"
#include "sys/sockets.h"
#include "worker/worker_process.h"

namespace stormo::server {
namespace {

UniqueFd listenHere() { return std::move(*listenOn(*Address::ip("127.0.0.1", 0))); }

/// Members m of groups m mod `groups`.
class WholeRoadTest : public test::LoopTest {
 protected:
  WholeRoadTest() {
    server.replayBytesMax = 256 << 10;  // soon full: from then on its room is used again
    channel.emplace(loop, server);
    channel->listen(channelFd.get());
    worker.onMessage = [this](Connection& connection, Message message) {
      groupServer.onMessage(connection, message);
    };
    workerProcess.emplace(worker, child);
  }

  void connect(std::size_t members, std::size_t groups) {
    groupCount = groups;
    for (std::size_t i = 0; i < members; ++i) {
      test::RawPeer peer = test::RawPeer::connect(localAddress(workerFd.get()).port());
      peer.send(test::WebSocketClient::request());
      peer.send(
          test::WebSocketClient::text(R"({"cmd":"add_group","group_id":")" + groupOf(i) + R"("})"));
      clients.push_back(std::move(peer));
    }
    ASSERT_TRUE(turnUntil([&] { return loop.counters().messagesIn.get() >= members; }));
    settle();
    for (test::RawPeer& client : clients) receive(client);  // the answers to the handshakes
  }

  [[nodiscard]] std::string groupOf(std::size_t member) const {
    return "g" + std::to_string(member % groupCount);
  }

  /// What a member sends, `count` messages at once; and what it gets of each.
  [[nodiscard]] std::string sends(std::size_t member, std::size_t count) const {
    std::string wire;
    for (std::size_t i = 0; i < count; ++i) {
      wire +=
          test::WebSocketClient::text(R"({"cmd":"send_to_group","group_id":")" + groupOf(member) +
                                      R"(","message":")" + std::string(kText) + R"("})");
    }
    return wire;
  }
  static constexpr std::size_t frameBytes() { return 2 + kText.size(); }

  /// Everybody in `publishers` sends; turns until all members have `expected` messages each.
  void round(const std::vector<std::string>& publishers, std::size_t expected) {
    for (std::size_t i = 0; i < publishers.size(); ++i) {
      ASSERT_EQ(clients[i].send(publishers[i]), publishers[i].size());
    }
    std::size_t missing = clients.size() * expected * frameBytes();
    ASSERT_TRUE(turnUntil([&] {
      for (test::RawPeer& client : clients) missing -= receive(client);
      return missing == 0;
    }));
  }

  /// Into one place, so that receiving allocates nothing.
  static std::size_t receive(test::RawPeer& client) {
    static std::array<char, 64 << 10> buffer;
    const ssize_t got = ::recv(client.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }

  std::uint64_t allocationsOf(const std::vector<std::string>& publishers, std::size_t expected) {
    for (int i = 0; i < 20; ++i) round(publishers, expected);  // warm up
    const std::uint64_t before = test::allocationCount();
    for (int i = 0; i < 20; ++i) round(publishers, expected);
    return test::allocationCount() - before;
  }

  std::uint64_t sendCalls() { return loop.counters().sendCalls.get(); }

  static constexpr std::string_view kText =
      "Questo e' un messaggio, e ne ha la lunghezza di sessantaquattro.";
  static_assert(kText.size() == 64);

  UniqueFd channelFd = listenHere();
  UniqueFd workerFd = listenHere();
  channel::Server server{"127.0.0.1", 0};
  std::optional<channel::ServerProcess> channel;
  Settings settings;
  Worker worker{"websocket://127.0.0.1:0"};
  GroupServer groupServer{worker, settings, "stormo://" + localAddress(channelFd.get()).text(),
                          channel::BusOptions{}};
  process::Child child{loop, 0, {{workerFd.get()}}};
  std::optional<WorkerProcess> workerProcess;
  std::size_t groupCount = 1;
  std::vector<test::RawPeer> clients;
};

TEST_F(WholeRoadTest, AWarmServerAllocatesNothingForAFanOut) {
  connect(100, 1);
  EXPECT_EQ(allocationsOf(std::vector(4, sends(0, 4)), 16), 0u);
}

TEST_F(WholeRoadTest, NorForMessagesToGroupsOfOne) {
  connect(200, 200);
  std::vector<std::string> publishers;
  for (std::size_t i = 0; i < 200; ++i) publishers.push_back(sends(i, 1));
  EXPECT_EQ(allocationsOf(publishers, 1), 0u);
}

TEST_F(WholeRoadTest, AllThatIsOnItsWayLeavesInOneSendForEachMember) {
  connect(200, 1);
  const std::vector<std::string> publishers(8, sends(0, 8));
  round(publishers, 64);
  const std::uint64_t before = sendCalls();
  for (int i = 0; i < 10; ++i) round(publishers, 64);
  // Each round: to the Channel, its events, its acknowledgement, and to each of the members.
  EXPECT_LE(sendCalls() - before, 10u * (200 + 3));
}

}  // namespace
}  // namespace stormo::server
