#include <sys/socket.h>

#include "group/group_fixture.h"
#include "support/allocation_count.h"
#include "support/websocket_client.h"

namespace stormo {
namespace {

using net::Connected;

/// 200 members after their handshake, each in one group, some of them in a second one.
class GroupsAllocationTest : public GroupsTest {
 protected:
  GroupsAllocationTest() {
    use(std::make_unique<net::WebSocketCodec>(WebSocketOptions{}));
    endpoint.handlers = {};
    for (int i = 0; i < 200; ++i) {
      members.push_back(member({"all"}));
      members.back().peer.send(test::WebSocketClient::request());
      if (i % 5 == 0) groups.join(at(members.back()), "some");
    }
    settle();
    readAll();
  }

  /// Reads into one buffer, so that reading allocates nothing.
  void readAll() {
    static char buffer[64 << 10];
    for (Connected& each : members) {
      while (::recv(each.peer.fd(), buffer, sizeof buffer, MSG_DONTWAIT) > 0) {
      }
    }
  }

  template <typename Work>
  std::uint64_t allocationsOf(Work work) {
    for (int i = 0; i < 3; ++i) {  // warm up
      work();
      settle();
      readAll();
    }
    const std::uint64_t before = test::allocationCount();
    for (int i = 0; i < 10; ++i) {
      work();
      settle();
      readAll();
    }
    return test::allocationCount() - before;
  }

  std::vector<Connected> members;
};

TEST_F(GroupsAllocationTest, TheCounterCounts) {
  const std::uint64_t before = test::allocationCount();
  const auto something = std::make_unique<int>(1);
  EXPECT_EQ(test::allocationCount(), before + 1);
}

TEST_F(GroupsAllocationTest, FanOutAllocatesNothing) {
  const std::string text(300, 't');
  EXPECT_EQ(allocationsOf([&] {
              for (int i = 0; i < 20; ++i) groups.send("all", text);
            }),
            0u);
}

TEST_F(GroupsAllocationTest, FanOutOverTwoGroupsWithSingleSendsAndExclusionsAllocatesNothing) {
  const std::string text(300, 't');
  EXPECT_EQ(allocationsOf([&] {
              for (std::size_t i = 0; i < 20; ++i) {
                groups.send("all", text);
                groups.sendExcept("some", text, at(members[i]));
                (void)at(members[2 * i]).send(text);
              }
            }),
            0u);
}

TEST_F(GroupsAllocationTest, CopiedSmallMessagesAllocateNothing) {
  Groups few;
  for (std::size_t i = 0; i < 3; ++i) few.join(at(members[i]), "few");
  EXPECT_EQ(allocationsOf([&] { few.send("few", "small"); }), 0u);
}

TEST_F(GroupsAllocationTest, QueuedOutputAllocatesNothing) {
  const std::string text(30'000, 't');  // more than the kernel takes, over a few turns
  for (Connected& each : members)
    test::shrinkSendBuffer(static_cast<net::ConnectionImpl&>(at(each)).fd.get());
  EXPECT_EQ(allocationsOf([&] {
              groups.send("all", text);
              for (int i = 0; i < 10; ++i) {
                turn();
                readAll();
              }
            }),
            0u);
}

TEST_F(GroupsAllocationTest, ReceivedMessagesAllocateNothing) {
  endpoint.handlers.onMessage = [&](Connection& connection, Message message) {
    groups.sendExcept("all", message, connection);
    (void)connection.send(message);
  };
  const std::string wire = test::WebSocketClient::text(std::string(200, 'm'));
  EXPECT_EQ(allocationsOf([&] {
              for (std::size_t i = 0; i < 10; ++i) members[i].peer.send(wire);
            }),
            0u);
}

TEST_F(GroupsAllocationTest, CompressedFanOutAllocatesNothing) {
  use(std::make_unique<net::WebSocketCodec>(WebSocketOptions{.deflate = {.enabled = true}}));
  endpoint.handlers = {};
  for (int i = 0; i < 20; ++i) {
    members.push_back(acceptQuietly());
    members.back().peer.send(
        test::WebSocketClient::request("/", "Sec-WebSocket-Extensions: permessage-deflate\r\n"));
  }
  settle();
  for (std::size_t i = members.size() - 20; i < members.size(); ++i) {
    groups.join(at(members[i]), "compressed");
  }
  const std::string text(3000, 't');
  EXPECT_EQ(allocationsOf([&] {
              for (int i = 0; i < 20; ++i) groups.send("compressed", text);
            }),
            0u);
}

TEST_F(GroupsAllocationTest, JoiningAndLeavingAnExistingGroupAllocatesNothing) {
  EXPECT_EQ(allocationsOf([&] {
              for (std::size_t i = 0; i < members.size(); ++i) {
                if (i % 5 == 0) continue;
                groups.join(at(members[i]), "some");
                groups.leave(at(members[i]), "some");
              }
            }),
            0u);
}

}  // namespace
}  // namespace stormo
