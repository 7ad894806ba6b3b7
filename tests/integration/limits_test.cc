// Limits hold for all processes of the server together, and `status` counts what they refuse.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>

#include "integration/harness/with_stormo.h"

namespace stormo::integration {
namespace {

using ::testing::HasSubstr;

class LimitsTest : public WithStormo {
 protected:
  /// The status of the answer to one more client; 101 if it is open.
  int statusOfOneMore(const std::string& headers = {}) {
    const Id id = clients().begin("/", headers);
    clients().runUntil("an answer", [&] { return clients()[id].httpStatus != 0; });
    return clients()[id].httpStatus;
  }
  /// The figure of one limit, summed over all workers.
  static std::uint64_t figure(const Json& status, const char* limit, const char* what) {
    std::uint64_t sum = 0;
    for (const Json& row : status.at("processes")) {
      if (row.at("kind") == "worker") {
        sum += row.at("limits").at(limit).at(what).get<std::uint64_t>();
      }
    }
    return sum;
  }
  std::uint64_t refused(const char* limit) { return figure(stormo.status(), limit, "refused"); }
  std::uint64_t dryRun(const char* limit) { return figure(stormo.status(), limit, "dry_run"); }
};

TEST_F(LimitsTest, TheLimitsOfConnectionsHoldForAllWorkersTogether) {
  startStormo({"--workers", "2", "--connections", "9", "--connections-per-address", "6",
               "--trusted-proxies", "127.0.0.1"});
  const std::string one = "X-Forwarded-For: 203.0.113.1\r\n";
  for (int i = 0; i < 6; ++i) EXPECT_EQ(statusOfOneMore(one), 101) << i;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(statusOfOneMore(one), 429) << i;
  EXPECT_EQ(refused("connections_per_address"), 4u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(statusOfOneMore("X-Forwarded-For: 203.0.113.2\r\n"), 101) << i;
  }
  for (int i = 0; i < 4; ++i) EXPECT_EQ(statusOfOneMore(one), 503) << i;
  EXPECT_EQ(refused("connections"), 4u);
  EXPECT_THAT(stormo.succeed({"status"}), HasSubstr("connections-per-address  4"));
}

TEST_F(LimitsTest, AKilledWorkerGivesItsShareBack) {
  startStormo({"--workers", "2", "--connections-per-address", "8"});
  for (int i = 0; i < 8; ++i) EXPECT_EQ(statusOfOneMore(), 101) << i;
  EXPECT_EQ(statusOfOneMore(), 429);
  const auto workers = stormo.pids("worker");
  for (const pid_t worker : workers) ::kill(worker, SIGKILL);
  stormo.waitForStatus("two new workers", [&](const Json& report) {
    std::size_t ready = 0;
    for (const Json& row : report.at("processes")) {
      const bool isNew = std::ranges::find(workers, row.at("pid").get<pid_t>()) == workers.end();
      if (row.at("kind") == "worker" && isNew && row.at("status") == "idle") ++ready;
    }
    return ready == 2;
  });
  for (int i = 0; i < 8; ++i) EXPECT_EQ(statusOfOneMore(), 101) << i;
  EXPECT_EQ(statusOfOneMore(), 429);
}

TEST_F(LimitsTest, ADryRunRefusesNothingAndCounts) {
  startStormo({"--workers", "1", "--connections", "1", "--connections-per-address", "1",
               "--groups-per-client", "1", "--messages-per-second", "1",  //
               "--limits-dry-run", "connections", "--limits-dry-run", "connections-per-address",
               "--limits-dry-run", "groups-per-client", "--limits-dry-run", "messages-per-second"});
  const auto ids = clients().connect(3);
  for (const Id id : ids) {
    clients().join(id, "one");
    clients().join(id, "two");
  }
  clients().sendToGroup(ids[0], "two", "hello");
  for (const Id id : ids) clients().waitForMessages(id, 1);
  const Json status = stormo.status();
  EXPECT_EQ(figure(status, "connections", "dry_run"), 2u);
  EXPECT_EQ(figure(status, "connections_per_address", "dry_run"), 2u);
  EXPECT_GE(figure(status, "groups_per_client", "dry_run"), 3u);
  EXPECT_GE(figure(status, "messages_per_second", "dry_run"), 3u);
  for (const char* limit : {"connections", "connections_per_address", "groups_per_client"}) {
    EXPECT_EQ(figure(status, limit, "refused"), 0u) << limit;
  }
}

TEST_F(LimitsTest, TooManyGroupsAreAnErrorThatDoesNotDisconnect) {
  startStormo({"--workers", "1", "--groups-per-client", "1"});
  const Id id = clients().connect();
  clients().command(id, "add_group", "one");
  for (int i = 0; i < 30; ++i) clients().command(id, "add_group", "more");
  clients().waitForMessages(id, 30);
  EXPECT_THAT(clients()[id].texts().back(), HasSubstr("too_many_groups"));
  EXPECT_TRUE(clients()[id].isOpen());

  const Id v1 = clients().begin("/", "Sec-WebSocket-Protocol: stormo.v1\r\n");
  clients().runUntil("a client to be open", [&] { return clients()[v1].isOpen(); });
  for (int i = 1; i <= 31; ++i) {
    clients().send(v1, R"({"id":)" + std::to_string(i) + R"(,"cmd":"join","group":"g)" +
                           std::to_string(i) + "\"}");
  }
  clients().waitForMessages(v1, 31);
  EXPECT_TRUE(clients()[v1].isOpen());
  EXPECT_EQ(refused("groups_per_client"), 60u);
}

TEST_F(LimitsTest, MessagesAboveTheRateAreSlowedDownOrCloseTheClient) {
  startStormo({"--workers", "1", "--messages-per-second", "20"});
  const Id id = clients().connect();
  for (int i = 0; i < 40; ++i) clients().send(id, R"({"cmd":"ping"})");
  clients().waitForMessages(id, 40);
  EXPECT_GE(refused("messages_per_second"), 1u);
}

TEST_F(LimitsTest, WhereConfiguredMessagesAboveTheRateCloseTheClient) {
  startStormo({"--workers", "1", "--messages-per-second", "20", "--over-rate", "close"});
  const Id id = clients().connect();
  for (int i = 0; i < 40; ++i) clients().send(id, R"({"cmd":"ping"})");
  clients().waitUntilClosed(id);
  EXPECT_EQ(clients()[id].closeCode, CloseCode::PolicyViolation);
  EXPECT_EQ(clients()[id].received.size(), 20u);
}

TEST_F(LimitsTest, AWorkerWithoutDescriptorsReachesARestartedChannel) {
  startStormo({"--workers", "1"});
  const Id sender = clients().connect();
  const Id member = clients().connect();
  clients().join(member, "g");
  const pid_t worker = stormo.pids("worker").at(0);
  const rlimit few{.rlim_cur = 64, .rlim_max = 64};
  ASSERT_EQ(::prlimit(worker, RLIMIT_NOFILE, &few, nullptr), 0);
  for (int i = 0; i < 100; ++i) clients().begin();
  stormo.waitForStatus("a worker that accepts nobody", [](const Json& report) {
    for (const Json& row : report.at("processes")) {
      if (row.value("accept_pauses", 0) > 0) return true;
    }
    return false;
  });
  const pid_t channel = stormo.pids("channel").at(0);
  ::kill(channel, SIGKILL);
  stormo.waitForStatus("a link to the new Channel", [&](const Json& report) {
    bool isNew = false;
    bool isLinked = false;
    for (const Json& row : report.at("processes")) {
      if (row.at("kind") == "channel") isNew = row.at("pid") != channel && row.at("pid") != 0;
      if (row.at("kind") != "worker") continue;
      const Json& links = row.at("channel_links");
      isLinked = links.size() == 1 && links[0].at("state") == "connected";
    }
    return isNew && isLinked;
  });
  clients().sendToGroup(sender, "g", "after the restart");
  clients().waitForMessages(member, 1);
  EXPECT_TRUE(clients()[sender].isOpen());
}

}  // namespace
}  // namespace stormo::integration
