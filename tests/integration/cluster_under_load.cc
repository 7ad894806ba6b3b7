#include "integration/cluster_under_load.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>

namespace stormo::integration {
namespace {

using namespace std::chrono_literals;

constexpr auto kTick = 10ms;
constexpr auto kSlowly = 200ms;
constexpr auto kBeforeReconnecting = 100ms;
constexpr auto kNothingArrives = 60s;
constexpr std::size_t kUnacknowledgedMax = 20;

}  // namespace

ClusterUnderLoad::ClusterUnderLoad(const Deadline& deadline, const Load& load, std::uint64_t seed,
                                   bool haveDisks)
    : deadline_(deadline),
      load_(load),
      random_(seed),
      nats_(deadline, haveDisks),
      swarm_(deadline, 0) {
  for (Node& node : nodes_) {
    node.program = std::make_unique<ProgramInstance>(deadline);
    node.proxy = std::make_unique<BreakableProxy>(nats_.ports());
  }
  for (std::size_t i = 0; i < kNodes; ++i) beginStart(i, "0");
  for (Node& node : nodes_) {
    node.program->foreground().waitForOutput("Start success.");
    node.port = node.program->port();
  }
  swarm_.onMessage = [this](ClientSwarm::Id id, const SwarmClient::Received& message) {
    const auto client = clientOf_.find(id);
    if (client != clientOf_.end()) clients_[client->second].member->onMessage(message.data);
    swarm_.clear(id);
  };
  for (std::size_t i = 0; i < load.clients; ++i) {
    clients_.push_back({.member = std::make_unique<RoamingMember>(swarm_, ledger_, i % load.groups),
                        .node = random_() % kNodes});
    connect(i);
  }
  while (!std::ranges::all_of(clients_, [](const Client& c) { return c.member->hasJoined(); })) {
    deadline_.check("all clients to join");
    turn(Clock::now() + kTick);
  }
}

void ClusterUnderLoad::beginStart(std::size_t node, const std::string& port) {
  std::string servers;
  for (const std::uint16_t server : nodes_[node].proxy->ports()) {
    servers += fmt::format("{}nats://127.0.0.1:{}", servers.empty() ? "" : ",", server);
  }
  nodes_[node].program->beginStart({"--listen",
                                    "websocket://127.0.0.1:" + port,
                                    "--workers",
                                    "2",
                                    "--cluster",
                                    servers,
                                    "--node",
                                    fmt::format("node{}", node),
                                    "--node-gone-seconds",
                                    "3",
                                    "--nats-max-bytes",
                                    "268435456",
                                    "--channel-stall-seconds",
                                    "2",
                                    "--channel-log-segment-bytes",
                                    "1048576",
                                    "--history-groups",
                                    "*",
                                    "--history-messages",
                                    "100000",
                                    "--history-seconds",
                                    "3600"});
}

bool ClusterUnderLoad::hasStarted(std::size_t node) {
  SpawnedProgram& program = nodes_[node].program->foreground();
  if (program.statusIfEnded()) throw std::runtime_error("a node has ended: " + program.errors());
  return program.output().find("Start success.") != std::string::npos;
}

void ClusterUnderLoad::killNode(std::size_t node) {
  SpawnedProgram& program = nodes_[node].program->foreground();
  program.signalGroup(SIGKILL);
  program.waitForEnd();
  checkLog(node);
}

void ClusterUnderLoad::startNode(std::size_t node) {
  beginStart(node, std::to_string(nodes_[node].port));
  publishUntil("a node to start", [&] { return hasStarted(node); });
}

void ClusterUnderLoad::checkLog(std::size_t node) {
  const std::string text = logOf(node);
  for (const char* sign :
       {"new epoch", "events were lost", "begins anew", "takes no part", "assert"}) {
    EXPECT_EQ(text.find(sign), text.npos) << "node" << node << ": " << text;
  }
}

pid_t ClusterUnderLoad::someWorker(std::size_t node) {
  const std::vector<pid_t> workers = nodes_[node].program->pids("worker");
  return workers.at(random_() % workers.size());
}

// --- Clients ---

void ClusterUnderLoad::connect(std::size_t client) {
  Client& connecting = clients_[client];
  if (const auto former = connecting.member->connection()) clientOf_.erase(*former);
  connecting.member->connect(nodes_[connecting.node].port);
  clientOf_[*connecting.member->connection()] = client;
  connecting.mayConnectAt = Clock::now() + kBeforeReconnecting;
}

void ClusterUnderLoad::turn(Clock::time_point end) {
  const Clock::time_point now = Clock::now();
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    Client& client = clients_[i];
    client.member->advance();
    if (!client.member->isDisconnected() || now < client.mayConnectAt) continue;
    client.node = (client.node + 1) % kNodes;
    ++moves_;
    connect(i);
  }
  swarm_.runUntil("traffic", [&] { return Clock::now() >= end; });
}

void ClusterUnderLoad::moveSome(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    RoamingMember& member = *clients_[random_() % clients_.size()].member;
    if (!member.isDisconnected()) member.drop();
  }
}

// --- Traffic ---

void ClusterUnderLoad::sendSome() {
  const Clock::time_point now = Clock::now();
  const std::chrono::duration<double> passed = now - sentAt_;
  sentAt_ = now;
  due_ = std::min(due_ + passed.count() * static_cast<double>(load_.messagesPerSecond),
                  static_cast<double>(load_.messagesPerSecond) / 10);
  for (; due_ >= 1; due_ -= 1) {
    RoamingMember& member = *clients_[random_() % clients_.size()].member;
    if (member.unacknowledged() < kUnacknowledgedMax) member.send();
  }
}

void ClusterUnderLoad::publishUntil(const std::string& what, const std::function<bool()>& done,
                                    bool isSlow) {
  Clock::time_point next{};
  while (true) {
    const Clock::time_point now = Clock::now();
    if (!isSlow || now >= next) {
      if (done()) return;
      next = Clock::now() + kSlowly;
    }
    deadline_.check(what);
    sendSome();
    turn(now + kTick);
  }
}

void ClusterUnderLoad::publishFor(std::chrono::milliseconds duration) {
  const auto end = Clock::now() + duration;
  publishUntil("traffic", [&] { return Clock::now() >= end; });
}

std::chrono::milliseconds ClusterUnderLoad::publishUntilArrived() {
  const auto begun = Clock::now();
  publishFor(100ms);
  ClusterLedger::Mark mark = ledger_.mark();
  publishUntil("what was sent to arrive", [&] {
    if (Clock::now() - begun > kNothingArrives) {
      for (const std::string& line : ledger_.missing()) ledger_.complain(line);
      return true;
    }
    return ledger_.hasArrived(mark);
  });
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun);
}

void ClusterUnderLoad::finish() {
  std::uint64_t last = 0;
  Clock::time_point since = Clock::now();
  while (!ledger_.missing().empty() && Clock::now() - since < kNothingArrives) {
    deadline_.check("the last messages");
    if (ledger_.receivedCount() != last) since = Clock::now();
    last = ledger_.receivedCount();
    turn(Clock::now() + 100ms);
  }
}

}  // namespace stormo::integration
