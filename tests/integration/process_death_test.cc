// Processes that are killed under traffic are restarted, and only their own data is lost.
#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>

#include "integration/harness/connection_attempts.h"
#include "integration/harness/with_stormo.h"

namespace stormo::integration {
namespace {

class ProcessDeath : public WithStormo {
 protected:
  Id v1ClientOn(pid_t worker) {
    while (true) {
      const Id id = clients().begin("/", "Sec-WebSocket-Protocol: stormo.v1\r\n");
      clients().runUntil("a client to be open", [&] { return clients()[id].isOpen(); });
      if (workersOf(stormo, clients(), {id})[0] == worker) return id;
    }
  }

  /// Each publisher sends its next message when it has received its last one, until each has sent
  /// `count`. `meanwhile` runs in each turn.
  void publishOneAtATime(const std::vector<Id>& publishers, const std::string& group,
                         std::size_t count,
                         const std::function<void(std::size_t received)>& meanwhile = {}) {
    std::map<Id, std::size_t> sent;
    std::map<Id, std::size_t> received;  // own messages
    std::size_t total = 0;
    const auto sendNext = [&](Id id) {
      clients().sendToGroup(id, group, std::to_string(id) + ' ' + std::to_string(sent[id]++));
    };
    clients().onMessage = [&](Id id, const SwarmClient::Received& message) {
      if (message.data != std::to_string(id) + ' ' + std::to_string(received[id])) return;
      ++total;
      if (++received[id] < count) sendNext(id);
    };
    for (const Id id : publishers) sendNext(id);
    clients().runUntil("all messages", [&] {
      if (meanwhile) meanwhile(total);
      return total >= count * publishers.size();
    });
    clients().onMessage = nullptr;
  }

  void waitForSuccessor(const std::string& kind, pid_t killed, std::size_t count) {
    stormo.waitForStatus("a new process of kind " + kind, [&](const Json& report) {
      std::size_t ready = 0;
      for (const Json& row : report.at("processes")) {
        if (row.at("kind") == kind && row.at("pid") != killed && row.at("status") == "idle")
          ++ready;
      }
      return ready == count;
    });
  }

  /// Expects each message of the publishers once, and those of each publisher in order.
  static void expectComplete(const Texts& texts, const std::vector<Id>& publishers,
                             std::size_t count) {
    EXPECT_EQ(texts.size(), count * publishers.size());
    std::map<std::string, std::size_t> next;
    for (const std::string& text : texts) {
      const std::string publisher = text.substr(0, text.find(' '));
      EXPECT_EQ(text, publisher + ' ' + std::to_string(next[publisher]++));
    }
  }
};

TEST_F(ProcessDeath, AKilledWorkerIsRestartedAndOtherWorkersClientsLoseNothing) {
  startStormo({"--workers", "4"});
  const std::vector<Id> all = clients().connect(40);
  clients().joinAll(all, [](std::size_t) { return "all"; });
  const std::vector<pid_t> workers = workersOf(stormo, clients(), all);
  const pid_t killed = workers[0];
  std::vector<Id> others;
  std::vector<Id> disconnected;
  for (std::size_t i = 0; i < all.size(); ++i)
    (workers[i] == killed ? disconnected : others).push_back(all[i]);

  constexpr std::size_t kEach = 100;
  ConnectionAttempts attempts(clients());
  bool isKilled = false;
  publishOneAtATime(others, "all", kEach, [&](std::size_t received) {
    attempts.advance();
    if (!isKilled && received > kEach * others.size() / 4) isKilled = ::kill(killed, SIGKILL) == 0;
  });
  waitForSuccessor("worker", killed, 4);
  const std::size_t before = attempts.opened();
  clients().runUntil("100 more connections", [&] {
    attempts.advance();
    return attempts.opened() >= before + 100;
  });

  EXPECT_EQ(attempts.refused(), 0u);
  EXPECT_LE(attempts.failed(),
            ConnectionAttempts::kAtATime);  // in a handshake with the killed worker
  for (const Id id : disconnected) {
    EXPECT_TRUE(clients()[id].isClosed());
    EXPECT_EQ(clients()[id].closeCode, CloseCode::Abnormal);
  }
  clients().settle(others);
  const Texts texts = clients()[others[0]].texts();
  expectComplete(texts, others, kEach);
  for (const Id id : others) EXPECT_TRUE(clients()[id].texts() == texts);
  EXPECT_EQ(stormo.pids("worker").size(), 4u);
}

TEST_F(ProcessDeath, TheOnlyWorkerIsRestartedAndServesWaitingClients) {
  startStormo({"--workers", "1"});
  const pid_t killed = stormo.pids("worker").at(0);
  ::kill(killed, SIGSTOP);  // so that the client waits and is not accepted
  const Id waiting = clients().begin();
  ::kill(killed, SIGKILL);
  clients().runUntil("the client that waited", [&] { return clients()[waiting].isOpen(); });
  waitForSuccessor("worker", killed, 1);
  clients().join(waiting, "123");
}

TEST_F(ProcessDeath, AChannelKilledUnderTrafficLosesAndDuplicatesNothing) {
  startStormo({"--workers", "4"});
  const std::vector<Id> all = clients().connect(20);
  clients().joinAll(all, [](std::size_t) { return "all"; });
  constexpr std::size_t kEach = 50;
  const pid_t killed = stormo.pids("channel").at(0);
  bool isKilled = false;
  publishOneAtATime(all, "all", kEach, [&](std::size_t received) {
    if (!isKilled && received > kEach * all.size() / 4) isKilled = ::kill(killed, SIGKILL) == 0;
  });
  waitForSuccessor("channel", killed, 1);
  clients().settle(all);
  for (const Id id : all) {
    EXPECT_TRUE(clients()[id].isOpen());
    expectComplete(clients()[id].texts(), all, kEach);
  }
}

TEST_F(ProcessDeath, WhileTheChannelHangsBackpressureDelaysClients) {
  startStormo({"--workers", "2", "--channel-buffer-bytes", "10000"});
  const std::vector<Id> members = membersOnDifferentWorkers("all");
  const pid_t channel = stormo.pids("channel").at(0);
  ::kill(channel, SIGSTOP);
  constexpr std::size_t kCount = 1000;  // ten times what a worker may keep
  for (std::size_t i = 0; i < kCount; ++i) {
    clients().sendToGroup(members[0], "all", std::to_string(i) + std::string(100, '.'));
  }
  clients().runUntil("a worker that can keep no more", [&] { return stormo.sum("send_full") > 0; });
  ::kill(channel, SIGCONT);
  for (const Id id : members) {
    clients().waitForMessages(id, kCount);
    std::size_t next = 0;
    for (const std::string& text : clients()[id].texts()) {
      ASSERT_EQ(text, std::to_string(next) + std::string(100, '.'));
      ++next;
    }
  }
}

TEST_F(ProcessDeath, AWorkerWithAGapClosesItsClients) {
  startStormo({"--workers", "2", "--channel-stall-seconds", "1", "--channel-replay-bytes", "1000"});
  const std::vector<Id> members = membersOnDifferentWorkers("all");
  const pid_t stopped = workersOf(stormo, clients(), members)[0];
  const Id v1NonMember = v1ClientOn(stopped);
  const Id v1Member = v1ClientOn(stopped);
  clients().send(v1Member, R"({"id":1,"cmd":"join","group":"all"})");
  clients().waitForMessages(v1Member, 1);
  ::kill(stopped, SIGSTOP);
  // More than its socket buffers, and after the link was closed more than the Channel keeps.
  const std::string text(10'000, '.');
  std::size_t sent = 0;
  const auto sendWhenReceived = [&] {
    if (clients()[members[1]].received.size() < sent) return;
    for (int i = 0; i < 20; ++i, ++sent) clients().sendToGroup(members[1], "all", text);
  };
  clients().runUntil("the link to be closed", [&] {
    sendWhenReceived();
    return std::ranges::any_of(stormo.status().at("processes"), [](const Json& row) {
      return row.at("kind") == "channel" && row.at("slow_closed") > 0;
    });
  });
  const std::size_t whenClosed = sent;
  clients().runUntil("more", [&] {
    sendWhenReceived();
    return sent > whenClosed + 200;
  });
  ::kill(stopped, SIGCONT);
  for (const Id id : {members[0], v1Member}) {
    clients().waitUntilClosed(id);
    EXPECT_EQ(clients()[id].closeCode, CloseCode::ServiceRestart);
  }
  EXPECT_TRUE(clients()[v1NonMember].isOpen());
  EXPECT_LT(clients()[members[0]].received.size(), sent);
  EXPECT_TRUE(clients()[members[1]].isOpen());
}

TEST_F(ProcessDeath, WhenTheMasterIsKilledAllProcessesEnd) {
  startStormo({"--workers", "2"});
  std::vector<pid_t> children = stormo.pids("worker");
  children.push_back(stormo.pids("channel").at(0));
  stormo.foreground().signal(SIGKILL);
  EXPECT_EQ(stormo.foreground().waitForEnd().status, 128 + SIGKILL);
  for (const pid_t pid : children) {
    while (isRunning(pid)) deadline.check("the end of process " + std::to_string(pid));
  }
  stormo.start(freePort());  // another port: the killed one's may still be in use
}

}  // namespace
}  // namespace stormo::integration
