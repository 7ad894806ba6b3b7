// A Channel whose log cannot be written, because the disk is full.
#include "integration/harness/full_disk.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>

#include "integration/harness/tcp_peer.h"
#include "integration/harness/with_stormo.h"

namespace stormo::integration {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class FullDiskTest : public WithStormo {
 protected:
  Json channelRow() {
    const Json report = stormo.status();
    for (const Json& row : report.at("processes")) {
      if (row.at("kind") == "channel") return row;
    }
    throw std::runtime_error("the status has no Channel");
  }
  std::string ready() {
    return httpExchange(deadline, stormo.port(), "GET /ready HTTP/1.0\r\n\r\n");
  }
  bool hasPausedLink() {
    return std::ranges::any_of(stormo.connections(), [](const Json& row) {
      return row.at("kind") == "channel" && row.at("state") == "PAUSED";
    });
  }
};

TEST_F(FullDiskTest, StatusShowsABlockedLogAndMessagesWaitForRoom) {
  startStormo();
  const std::vector<Id> members = membersOnDifferentWorkers("g");
  const Json before = channelRow();
  EXPECT_EQ(before.at("status"), "idle");
  EXPECT_EQ(before.at("log_blocked"), false);
  EXPECT_GT(before.at("log_bytes"), 0u);
  EXPECT_GT(before.at("log_last_offset"), 0u);  // of the fences of their joins
  {
    const FullDisk disk(stormo.pids("channel").at(0));
    clients().sendToGroup(members[0], "g", "first");
    clients().runUntil("a blocked log", [&] { return channelRow().at("log_blocked") == true; });
    EXPECT_EQ(channelRow().at("status"), "log blocked");
    EXPECT_EQ(channelRow().at("log_last_offset"), before.at("log_last_offset"));
    EXPECT_THAT(stormo.succeed({"status"}), HasSubstr("[log blocked]"));
    clients().sendToGroup(members[1], "g", "second");
    clients().runUntil("a publisher that waits", [&] { return hasPausedLink(); });
    EXPECT_THAT(clients()[members[1]].texts(), IsEmpty());
    clients().runUntil("a worker that is not ready", [&] {
      return ready().find("the Channel cannot take messages at the moment") != std::string::npos;
    });
    EXPECT_THAT(ready(), StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
    EXPECT_THAT(stormo.succeed({"status"}), HasSubstr("stormo blocked"));
    for (const Id id : members) EXPECT_TRUE(clients()[id].isOpen());
  }
  for (const Id id : members) clients().waitForMessages(id, 2);
  EXPECT_EQ(clients()[members[0]].texts(), clients()[members[1]].texts());
  const Json after = channelRow();
  EXPECT_EQ(after.at("status"), "idle");
  EXPECT_EQ(after.at("log_blocked"), false);
  EXPECT_GT(after.at("log_bytes"), before.at("log_bytes"));
  EXPECT_EQ(after.at("log_last_offset"), before.at("log_last_offset").get<int>() + 2);
  clients().runUntil("a worker that is ready",
                     [&] { return ready().find("200 OK") != std::string::npos; });
  const std::string status = stormo.succeed({"status"});
  EXPECT_THAT(status, Not(HasSubstr("[log blocked]")));
  EXPECT_THAT(status, Not(HasSubstr("stormo blocked")));
}

TEST_F(FullDiskTest, ChannelKilledWhileItsLogIsBlockedLosesNothing) {
  startStormo();
  const std::vector<Id> members = membersOnDifferentWorkers("g");
  const pid_t channel = stormo.pids("channel").at(0);
  const FullDisk disk(channel);
  clients().sendToGroup(members[0], "g", "first");
  clients().runUntil("a blocked log", [&] { return channelRow().at("log_blocked") == true; });
  ::kill(channel, SIGKILL);  // the next one has no limit
  for (const Id id : members) clients().waitForMessages(id, 1);
  EXPECT_EQ(channelRow().at("log_blocked"), false);
  EXPECT_THAT(stormo.foreground().errors(), Not(HasSubstr("begins a new epoch")));
}

}  // namespace
}  // namespace stormo::integration
