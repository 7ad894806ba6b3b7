// Groups attached to a Channel, with members in several processes (here objects).
#include <stormo/channel.h>
#include <stormo/groups.h>

#include <optional>

#include "channel/kept_log.h"
#include "channel/server/server_process.h"
#include "net/net_fixture.h"

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ChannelGroupsTest : public net::NetTest {
 protected:
  struct Worker {
    explicit Worker(const std::string& url) : channel(url), groups(channel) { channel.connect(); }
    Channel channel;
    Groups groups;
  };

  ChannelGroupsTest() { startChannel(); }

  void startChannel() {
    process.emplace(loop, server, std::make_unique<KeptLog>(kept));
    process->listen(listener.get());
  }
  void connect(Worker& worker) {
    ASSERT_TRUE(turnUntil([&] { return worker.channel.isConnected(); }));
  }
  [[nodiscard]] std::string url() const {
    return "stormo://" + localAddress(listener.get()).text();
  }
  net::Connected member(Worker& worker, std::string_view group) {
    net::Connected made = acceptQuietly();
    EXPECT_TRUE(worker.groups.join(at(made), group));
    return made;
  }
  /// Waits for these bytes, and checks that no more arrive.
  void expect(net::Connected& member, const std::string& bytes) {
    EXPECT_TRUE(turnUntil([&] {
      member.peer.receive();
      return member.peer.received().size() >= bytes.size();
    }));
    settle();
    member.peer.receive();
    EXPECT_EQ(std::exchange(member.peer.received(), {}), bytes);
  }

  UniqueFd listener = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  Server server{"127.0.0.1", 0};
  KeptLog::Records kept;
  std::optional<ServerProcess> process;
  Worker one{url()}, other{url()};
};

TEST_F(ChannelGroupsTest, PublishReachesMembersInAllProcessesOnce) {
  connect(one);
  connect(other);
  net::Connected here = member(one, "g"), there = member(other, "g"), else_ = member(one, "h");
  settle();
  EXPECT_EQ(one.groups.publish("g", "ciao"), PublishStatus::Accepted);
  EXPECT_EQ(other.groups.publish("h", "salve"), PublishStatus::Accepted);
  expect(here, "ciao\n");
  expect(there, "ciao\n");
  expect(else_, "salve\n");
}

TEST_F(ChannelGroupsTest, GroupWithoutMembersIsNotSubscribed) {
  connect(one);
  connect(other);
  std::vector<std::string> groups;
  const auto subscribed = [&] {
    groups.clear();
    one.channel.forEachGroup([&](std::string_view group) { groups.emplace_back(group); });
    return groups;
  };
  net::Connected here = member(one, "g");
  EXPECT_THAT(subscribed(), ElementsAre("g"));
  at(here).close();
  settle();
  EXPECT_THAT(subscribed(), IsEmpty());
}

TEST_F(ChannelGroupsTest, PublishWhileTheChannelIsDownArrivesOnceAndInOrder) {
  connect(one);
  connect(other);
  net::Connected here = member(one, "g");
  settle();
  process.reset();  // as if it were killed
  ASSERT_TRUE(turnUntil([&] { return !one.channel.isConnected(); }));
  EXPECT_EQ(other.groups.publish("g", "1"), PublishStatus::Accepted);
  EXPECT_EQ(other.groups.publish("g", "2"), PublishStatus::Accepted);
  startChannel();
  expect(here, "1\n2\n");
}

TEST_F(ChannelGroupsTest, GapClosesOnlyTheMembers) {
  server.replayBytesMax = 1;
  process.reset();
  startChannel();
  connect(one);
  connect(other);
  net::Connected here = member(one, "g"), outside = acceptQuietly();
  settle();
  // The link is lost, and the Channel drops the events published meanwhile.
  one.channel.close();
  ASSERT_TRUE(turnUntil([&] { return !one.channel.isConnected(); }));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(other.groups.publish("g", "missed"), PublishStatus::Accepted);
  }
  ASSERT_TRUE(turnUntil([&] { return other.channel.unackedBytes() == 0; }));
  one.channel.connect();
  EXPECT_TRUE(turnUntil([&] { return !events.empty(); }));
  settle();
  EXPECT_EQ(table.find(here.id), nullptr);
  EXPECT_NE(table.find(outside.id), nullptr);
}

TEST_F(ChannelGroupsTest, NamesAreCheckedAndGroupsWithoutAChannelCannotPublish) {
  connect(one);
  net::Connected client = acceptQuietly();
  for (const std::string& name : {std::string(), std::string(256, 'g')}) {
    EXPECT_THROW(one.groups.join(at(client), name), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(one.groups.publish(name, "x")), std::invalid_argument);
    EXPECT_FALSE(Groups::isName(name));
  }
  EXPECT_TRUE(Groups::isName(std::string(255, 'g')));
  Groups alone;
  EXPECT_THROW(static_cast<void>(alone.publish("g", "x")), std::logic_error);
}

}  // namespace
}  // namespace stormo::channel
