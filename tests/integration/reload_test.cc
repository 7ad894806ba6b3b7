// 'reload': replaces workers while clients connect.
#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "integration/harness/connection_attempts.h"
#include "integration/harness/with_stormo.h"

namespace stormo::integration {
namespace {

class Reload : public WithStormo {};

TEST_F(Reload, ReplacesAllWorkersWithoutARefusedConnection) {
  startStormo({"--workers", "4"});
  const std::vector<pid_t> before = stormo.pids("worker");
  const std::vector<pid_t> channel = stormo.pids("channel");
  const std::vector<Id> all = clients().connect(20);

  ConnectionAttempts attempts(clients());
  clients().runUntil("new connections",
                     [&] { return attempts.advance(), attempts.opened() >= 20; });
  const auto reload = stormo.begin({"reload"});
  clients().runUntil("the reload to end",
                     [&] { return attempts.advance(), reload->statusIfEnded().has_value(); });
  EXPECT_EQ(reload->waitForEnd().status, 0) << reload->errors();
  const std::size_t opened = attempts.opened();
  clients().runUntil("new connections",
                     [&] { return attempts.advance(), attempts.opened() >= opened + 50; });

  EXPECT_EQ(attempts.refused(), 0u);
  for (const pid_t pid : stormo.pids("worker"))
    EXPECT_EQ(std::count(before.begin(), before.end(), pid), 0);
  EXPECT_EQ(stormo.pids("worker").size(), 4u);
  EXPECT_EQ(stormo.pids("channel"), channel);
  for (const Id id : all) {
    clients().waitUntilClosed(id);
    EXPECT_EQ(clients()[id].closeCode, CloseCode::ServiceRestart);
  }
  for (const Json status = stormo.status(); const Json& row : status.at("processes")) {
    if (row.at("kind") != "worker") continue;
    EXPECT_EQ(row.at("reloads"), 1) << row;
  }
}

TEST_F(Reload, GroupsWorkForClientsThatReconnect) {
  startStormo({"--workers", "2"});
  membersOnDifferentWorkers("123");
  EXPECT_EQ(runBesideClients({"reload"}).status, 0);
  const auto members = membersOnDifferentWorkers("123");
  clients().sendToGroup(members[0], "123", "after the reload");
  clients().waitForMessages(members[1], 1);
  EXPECT_EQ(clients()[members[1]].texts(), Texts{"after the reload"});
}

TEST_F(Reload, TheSignalReloads) {
  startStormo({"--workers", "2"});
  const std::vector<pid_t> before = stormo.pids("worker");
  stormo.foreground().signal(SIGUSR1);
  stormo.waitForStatus("new workers", [&](const Json& report) {
    return std::none_of(report.at("processes").begin(), report.at("processes").end(),
                        [&](const Json& row) {
                          return row.at("kind") == "worker" &&
                                 (row.at("status") != "idle" ||
                                  std::count(before.begin(), before.end(), row.at("pid")) > 0);
                        });
  });
}

TEST_F(Reload, GracefulReloadWaitsForClients) {
  startStormo({"--workers", "1"});
  const Id id = clients().connect();
  const auto reload = stormo.begin({"reload", "-g"});
  // The old worker serves its client until it disconnects; only then the command ends.
  stormo.waitForStatus("the worker to be stopping", [](const Json& report) {
    return report.at("processes").back().at("status") == "stopping";
  });
  clients().join(id, "123");
  clients().sendToGroup(id, "123", "not yet");
  clients().waitForMessages(id, 1);
  EXPECT_FALSE(reload->statusIfEnded());
  clients().close(id);
  clients().waitUntilClosed(id);
  EXPECT_EQ(clients()[id].closeCode, CloseCode::Normal);
  EXPECT_EQ(reload->waitForEnd().status, 0);
}

TEST_F(Reload, PacedReloadClosesTheClientsOneAfterTheOtherAndNewOnesAreAccepted) {
  startStormo({"--workers", "2"});
  const std::vector<Id> all = clients().connect(60);
  const auto closed = [&] {
    return std::ranges::count_if(all, [&](Id id) { return clients()[id].isClosed(); });
  };
  const auto reload = stormo.begin({"reload", "--over", "2s"});
  ConnectionAttempts attempts(clients());
  std::set<std::ptrdiff_t> steps;
  clients().runUntil("the reload to end", [&] {
    attempts.advance();
    steps.insert(closed());
    return reload->statusIfEnded().has_value();
  });
  EXPECT_EQ(reload->waitForEnd().status, 0) << reload->errors();
  EXPECT_GT(steps.size(), 15u);  // all at once would be few
  EXPECT_EQ(attempts.refused(), 0u);
  EXPECT_EQ(attempts.failed(), 0u);
  for (const Id id : all) {
    clients().waitUntilClosed(id);
    EXPECT_EQ(clients()[id].closeCode, CloseCode::ServiceRestart);
  }
}

TEST_F(Reload, PacedStopClosesTheClientsWithGoingAway) {
  startStormo({"--workers", "2"});
  const std::vector<Id> all = clients().connect(20);
  EXPECT_EQ(runBesideClients({"stop", "-g", "--over", "300ms"}).status, 0);
  for (const Id id : all) {
    clients().waitUntilClosed(id);
    EXPECT_EQ(clients()[id].closeCode, CloseCode::GoingAway);
  }
}

TEST_F(Reload, AWrongTimeIsReported) {
  startStormo({"--workers", "1"});
  for (const char* time : {"soon", "-1s", "0", "3 days"}) {
    const Outcome outcome = stormo.run({"reload", "--over", time});
    EXPECT_EQ(outcome.status, 2) << time;
    EXPECT_THAT(outcome.errors, testing::HasSubstr("--over")) << time;
  }
}

}  // namespace
}  // namespace stormo::integration
