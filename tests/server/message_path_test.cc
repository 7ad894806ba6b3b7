// The path of a group message in one loop: client, worker, Channel, and back to the members. Its
// cost is counted, not timed: by the program's own counters, and by how often operator new runs.
#include <sys/socket.h>

#include <array>

#include "channel/log/memory_log.h"
#include "event/loop_impl.h"
#include "protocol/client/v1_request.h"
#include "server/server_fixture.h"
#include "support/allocation_count.h"

namespace stormo::server {
namespace {

/// Members m of groups m mod `groups`.
class MessagePathTest : public ServerTest {
 protected:
  explicit MessagePathTest(std::vector<AccessRule> rules = {}) {
    settings.options.access.rules = std::move(rules);
    server.replayBytesMax = 256 << 10;  // soon full: from then on its room is used again
    makeLog = [] { return std::make_unique<channel::MemoryLog>(); };
    start();
  }

  void connectMembers(std::size_t members, std::size_t groups) {
    groupCount = groups;
    for (std::size_t i = 0; i < members; ++i) {
      test::RawPeer peer = test::RawPeer::connect(workers[0]->port());
      peer.send(test::WebSocketClient::request());
      peer.send(
          test::WebSocketClient::text(R"({"cmd":"add_group","group_id":")" + groupOf(i) + R"("})"));
      clients.push_back(std::move(peer));
    }
    ASSERT_TRUE(
        turnUntil([&] { return LoopImpl::of(loop).counters().messagesIn.get() >= members; }));
    settle();
    for (test::RawPeer& client : clients) receive(client);  // the answers to the handshakes
  }

  [[nodiscard]] std::string groupOf(std::size_t member) const {
    return prefix + std::to_string(member % groupCount);
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

  std::uint64_t sendCalls() { return LoopImpl::of(loop).counters().sendCalls.get(); }

  static constexpr std::string_view kText =
      "Questo e' un messaggio, e ne ha la lunghezza di sessantaquattro.";
  static_assert(kText.size() == 64);

  std::string prefix = "g";
  std::size_t groupCount = 1;
  std::vector<test::RawPeer> clients;
};

TEST_F(MessagePathTest, AWarmServerAllocatesNothingForAFanOut) {
  connectMembers(100, 1);
  EXPECT_EQ(allocationsOf(std::vector(4, sends(0, 4)), 16), 0u);
}

TEST_F(MessagePathTest, AWarmServerAllocatesNothingForGroupsOfOne) {
  connectMembers(200, 200);
  std::vector<std::string> publishers;
  for (std::size_t i = 0; i < 200; ++i) publishers.push_back(sends(i, 1));
  EXPECT_EQ(allocationsOf(publishers, 1), 0u);
}

class RulesMessagePathTest : public MessagePathTest {
 protected:
  RulesMessagePathTest()
      : MessagePathTest({{.groups = "*-a-long-name-that-no-group-has", .join = Who::Nobody},
                         {.groups = "[a-f]*", .send = Who::Nobody},
                         {.groups = "g*-?", .join = Who::Anyone, .send = Who::Anyone}}) {}
};

TEST_F(RulesMessagePathTest, AWarmServerWithRulesAllocatesNothing) {
  prefix = "g-with-a-name-that-is-longer-than-a-short-string-";
  connectMembers(100, 10);
  std::vector<std::string> publishers;
  for (std::size_t i = 0; i < 10; ++i) publishers.push_back(sends(i, 1));
  EXPECT_EQ(allocationsOf(publishers, 1), 0u);
}

TEST_F(MessagePathTest, MessagesOfOneTurnLeaveInOneSendForEachMember) {
  connectMembers(200, 1);
  const std::vector<std::string> publishers(8, sends(0, 8));
  round(publishers, 64);
  const std::uint64_t before = sendCalls();
  for (int i = 0; i < 10; ++i) round(publishers, 64);
  // Each round: to the Channel, its events, its acknowledgement, and to each of the members.
  EXPECT_LE(sendCalls() - before, 10u * (200 + 3));
}

/// Members of one group, clients of stormo.v1; the first of them sends.
class V1MessagePathTest : public ServerTest {
 protected:
  V1MessagePathTest() {
    server.history = {.groups = {"*"}, .messagesMax = 32};
    makeLog = [] { return std::make_unique<channel::MemoryLog>(); };
    start();
    for (int i = 0; i < 50; ++i) {
      members.push_back(connect(0, v1::kSubprotocol));
      members.back().send(R"({"id":1,"cmd":"join","group":"g"})");
      await(members.back(), 1);
      members.back().socket.raw().received().reserve(1 << 16);
    }
  }

  /// The first sends so many messages; turns until all have them, and it has its replies.
  void round(std::size_t count) {
    members.front().socket.raw().send(std::string_view(wire).substr(0, wire.size() / 16 * count));
    std::size_t missing = members.size() * count + count;
    ASSERT_TRUE(turnUntil([&] {
      for (Client& member : members) missing -= takeFrames(member.socket.raw());
      return missing == 0;
    }));
  }

  /// Whole frames that have come.
  static std::size_t takeFrames(test::RawPeer& peer) {
    peer.receive();
    std::string& bytes = peer.received();
    std::string_view rest = bytes;
    std::size_t frames = 0;
    for (; const auto frame = test::readServerFrame(rest); ++frames) {
      rest.remove_prefix(frame->bytes);
    }
    bytes.erase(0, bytes.size() - rest.size());
    return frames;
  }

  std::string wire = [] {
    std::string sixteen;
    for (int i = 0; i < 16; ++i) {
      sixteen += test::WebSocketClient::text(
          R"({"id":7,"cmd":"send","group":"g","message":"Questo e' un messaggio"})");
    }
    return sixteen;
  }();
  std::vector<Client> members;
};

TEST_F(V1MessagePathTest, AWarmServerAllocatesNothingForAMessageNorForItsReply) {
  for (int i = 0; i < 50; ++i) round(16);
  const std::uint64_t before = test::allocationCount();
  for (int i = 0; i < 50; ++i) round(16);
  EXPECT_EQ(test::allocationCount() - before, 0u);
}

}  // namespace
}  // namespace stormo::server
