#include "channel/cluster/channels_simulation.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "event/process_life.h"
#include "support/raw_peer.h"
#include "sys/sockets.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kGroups = 2;
constexpr std::size_t kMembersGroup = 0;  // all clients subscribe to it
constexpr const char* kQueue = "1";
constexpr int kSteps = 200;
constexpr std::size_t kEverything = ~std::size_t{0};
// Longer than a client's delay before it reconnects, shorter than what makes a node gone.
constexpr auto kStride = 3s;
constexpr auto kStallMax = 12h;

}  // namespace

EventLoop::TimePoint ChannelsSimulation::now_{};

ChannelsSimulation::ChannelsSimulation(std::uint64_t seed)
    : random_(seed), hasJobs_(seed % 2 == 0) {
  now_ = TimePoint{} + 1h;
  LoopImpl::of(loop_).useClock([] { return now_; });
  settings_.linkStallMax = kStallMax;
  settings_.linkBytesMax = 500 + below(4000);
  settings_.replayAgeMax = 240h;
  settings_.history.groups = {"*"};
  settings_.history.messagesMax = 400;
  settings_.history.ageMax = 240h;
  servers_.messageBytesMax = kBatchHeaderBytes + 100 + below(2000);
  for (std::size_t i = 0; i < kNodes; ++i) {
    nodes_[i].path = directory_.file("node" + std::to_string(i));
    nodes_[i].listening = std::move(*listenOn(*Address::unixPath(nodes_[i].path)));
    startNode(i);
  }
  for (std::size_t i = 0; i < kClients; ++i) startClient(i);
  for (Member& member : members_) startMember(member);
  runWithoutFaults();
}

ChannelsSimulation::~ChannelsSimulation() {
  for (Member& member : members_) member.self.reset();
  for (Client& client : clients_) client.link.reset();
}

void ChannelsSimulation::run() {
  for (int i = 0; i < kSteps && error_.empty(); ++i) step();
  runWithoutFaults();
  for (Member& member : members_) {
    if (!member.self->isJoined()) {
      member.client = 0;
      member.self->join(*clients_[0].link);
    }
  }
  runWithoutFaults();
  finishAllJobs();
}

std::string ChannelsSimulation::error() {
  if (!error_.empty()) return error_;
  if (UnfinishedWork::count() != 0) return "not everything was acknowledged\n";
  return ledger_.error() + jobs_.error(false);
}

ChannelsSimulation::Counts ChannelsSimulation::counts() const {
  Counts counts = counts_;
  counts.messages = ledger_.receivedCount();
  counts.jobs = jobs_.doneCount();
  return counts;
}

// --- Nodes ---

void ChannelsSimulation::startNode(std::size_t index) {
  Node& node = nodes_[index];
  node.directory.endPending();
  auto stream = std::make_unique<ScriptedStream>(servers_);
  node.stream = stream.get();
  auto log = std::make_unique<ClusterLog>(
      std::move(stream), node.directory,
      ClusterLogSettings{.node = "h" + std::to_string(index),
                         .goneAfter = hasJobs_ ? std::chrono::milliseconds(240h) : 10s,
                         .snapshotBytes = 600});
  node.log = log.get();
  node.isBroken = false;
  log->onBroken = [&node] { node.isBroken = true; };
  node.process.emplace(loop_, settings_, std::move(log));
  node.process->listen(node.listening.get());
}

void ChannelsSimulation::killNode(std::size_t index) {
  ++counts_.deaths;
  nodes_[index].process.reset();
  nodes_[index].directory.kill();
}

void ChannelsSimulation::replaceBroken() {
  for (std::size_t i = 0; i < kNodes; ++i) {
    if (!nodes_[i].isBroken) continue;
    note("node " + std::to_string(i) + " starts again");
    killNode(i);
    startNode(i);
  }
}

// --- Clients and members ---

void ChannelsSimulation::startClient(std::size_t index) {
  Client& client = clients_[index];
  const std::string name = std::to_string(index);
  client.network =
      std::make_unique<SimulatedLink>(directory_.file("link" + name), nodes_[index % kNodes].path);
  client.participant = ledger_.begin({0, 1}, true);
  client.link =
      std::make_unique<ClientLink>(client.network->url(), ChannelOptions{.pingInterval = 240h});
  ClientLink& link = *client.link;
  link.onGroupMessage = [this, index](const GroupMessage& message) {
    const std::uint64_t epoch = clients_[index].link->dialect().position().epoch;
    ledger_.receive(clients_[index].participant, epoch, message.group, message.message.data);
    for (Member& member : members_) {
      const bool isHere = member.self && member.self->isJoined() && member.client == index;
      if (isHere) member.self->onEvent(message);
    }
  };
  link.onGap = [this] { error_ += "a gap\n"; };
  link.onJob = [this, index](std::uint64_t number, std::string_view queue, const Value& text) {
    Client& self = clients_[index];
    jobs_.receive(self.participant, self.link->dialect().position().epoch, queue, text.asString());
    self.held.push_back({number, std::string(text.asString())});
    note("  client " + std::to_string(index) + " receives job " + self.held.back().text);
  };
  for (std::size_t group = 0; group < kGroups; ++group) {
    link.dialect().subscribeGroup(std::to_string(group));
  }
  link.watch({kQueue});
  link.reserve();
  link.connect();
}

void ChannelsSimulation::startMember(Member& member) {
  member.participant = ledger_.begin({kMembersGroup}, false);
  member.self.emplace(member.participant + 1, std::to_string(kMembersGroup));
  member.self->onMessage = [this, participant = member.participant](std::uint64_t epoch,
                                                                    std::string_view text) {
    ledger_.receive(participant, epoch, std::to_string(kMembersGroup), text);
  };
  member.self->onGap = [this] { error_ += "a gap of a member\n"; };
}

void ChannelsSimulation::actAsMember(Member& member, std::size_t index) {
  SimulatedMember& self = *member.self;
  if (self.isJoined() && below(3) != 0) {
    note("a member publishes");
    return self.publish(ledger_.publish(member.participant, kMembersGroup, below(40)));
  }
  if (self.isJoined()) {
    note("a member leaves client " + std::to_string(member.client));
    return self.leave();
  }
  note("a member joins client " + std::to_string(index));
  if (index % kNodes != member.client % kNodes) ++counts_.moves;
  member.client = index;
  self.join(*clients_[index].link);
}

void ChannelsSimulation::publish(std::size_t index) {
  const std::size_t group = below(kGroups);
  const std::size_t spaces = std::array<std::size_t, 6>{1, 1, 1, 50, 600, 3000}[below(6)];
  const std::string text = ledger_.publish(clients_[index].participant, group, spaces);
  (void)clients_[index].link->dialect().publishToGroup(std::to_string(group), text, {});
}

void ChannelsSimulation::enqueue(std::size_t index) {
  ClientDialect& dialect = clients_[index].link->dialect();
  const std::string text = jobs_.enqueue(clients_[index].participant, 1, dialect.accepted() + 1);
  (void)dialect.enqueue({kQueue}, text);
}

void ChannelsSimulation::endJob(std::size_t index) {
  Client& client = clients_[index];
  if (client.held.empty()) return;
  const HeldJob job = std::move(client.held.front());
  client.held.erase(client.held.begin());
  note("client " + std::to_string(index) + " finishes job " + job.text);
  client.link->dialect().finishJob(job.number);
  jobs_.finish(job.text, client.link->dialect().accepted());
  client.link->reserve();
}

// --- Steps ---

void ChannelsSimulation::step() {
  const std::size_t kind = below(48);
  if (stepOfNode(kind, below(kNodes)) || stepOfClient(kind, below(kClients))) return;
  stepOfNetwork(below(kClients));
}

bool ChannelsSimulation::stepOfNode(std::size_t kind, std::size_t index) {
  Node& node = nodes_[index];
  const std::string name = "node " + std::to_string(index);
  switch (kind) {
    case 0:
      if (below(2) == 0) return true;
      note(name + " dies");
      killNode(index);
      startNode(index);
      return true;
    case 1:
      if (!node.stream->isConnected()) return true;
      note(name + " is cut");
      node.stream->disconnect();
      return true;
    case 2:
    case 3:
      if (node.stream->isConnected()) return true;
      note(name + " connects");
      node.stream->connect();
      replaceBroken();
      return true;
    case 4:
      if (node.stream->inFlight() == 0) return true;
      note("a message of " + name + " is lost");
      node.stream->loseOne(below(node.stream->inFlight()));
      return true;
    case 5:
    case 28:
      if (!node.directory.hasPendingSnapshot()) return true;
      ++counts_.snapshots;
      node.directory.completeSnapshot();
      turn();
      while (node.directory.hasPendingSync()) node.directory.completeSync();
      return true;
    case 6:
      if (below(4) != 0) return true;
      note("much time passes");
      now_ += 6s;
      turn();
      return true;
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
      for (std::size_t left = 1 + below(8); left > 0 && node.stream->storeOne();) --left;
      return true;
    case 12:
    case 13:
    case 14:
    case 15:
    case 16:
      for (std::size_t left = 1 + below(8); left > 0 && node.stream->readOne();) --left;
      replaceBroken();
      return true;
    default:
      return false;
  }
}

bool ChannelsSimulation::stepOfClient(std::size_t kind, std::size_t index) {
  if (kind >= 17 && kind < 23) {
    note("client " + std::to_string(index) + " publishes");
    publish(index);
    return true;
  }
  if (kind >= 23 && kind < 26) {
    actAsMember(members_[below(kMembers)], index);
    return true;
  }
  if (kind == 26 && hasJobs_) {
    note("client " + std::to_string(index) + " enqueues a job");
    enqueue(index);
    return true;
  }
  if (kind == 27) endJob(index);
  return kind == 27;
}

void ChannelsSimulation::stepOfNetwork(std::size_t index) {
  SimulatedLink& link = *clients_[index].network;
  switch (below(24)) {
    case 0:
      if (link.cut()) note("link " + std::to_string(index) + " is cut");
      return;
    case 1:
      note("time passes");
      now_ += kStride;
      return turn();
    case 2:
    case 3:
      // One node is quicker than the others.
      (void)nodes_[below(kNodes)].stream->moveAll();
      for (int i = 0; i < 4; ++i) {
        turn();
        moveLinks();
      }
      return;
    default:
      break;
  }
  if (below(3) == 0) return turn();
  (void)link.accept();
  const std::size_t bytes = below(2) == 0 ? 1 + below(60) : kEverything;
  below(2) == 0 ? link.moveUp(bytes) : link.moveDown(bytes);
}

void ChannelsSimulation::turn() {
  // Small buffers, so that output waits outside of the kernel early.
  net::ConnectionTable::of(loop_).forEach(
      [](net::ConnectionImpl& connection) { test::shrinkSendBuffer(connection.fd.get()); });
  loop_.turn({});
  replaceBroken();
}

bool ChannelsSimulation::moveLinks() {
  bool moved = false;
  for (const Client& client : clients_) {
    moved |= client.network->accept();
    moved |= client.network->moveUp(kEverything);
    moved |= client.network->moveDown(kEverything);
  }
  return moved;
}

bool ChannelsSimulation::moveAll() {
  const bool moved = moveLinks();
  for (Node& node : nodes_) {
    if (!node.stream->isConnected()) node.stream->connect();
    (void)node.stream->moveAll();  // signs of life never end
    if (node.directory.hasPendingSnapshot()) node.directory.completeSnapshot();
    while (node.directory.hasPendingSync()) node.directory.completeSync();
  }
  replaceBroken();
  return moved;
}

void ChannelsSimulation::runWithoutFaults() {
  const auto isQuiet = [this] {
    return std::ranges::all_of(clients_,
                               [](const Client& each) { return each.link->isConnected(); }) &&
           std::ranges::all_of(nodes_, [](const Node& each) {
             const bool isSignOfLife = each.log->waitingBytes() <= kBatchHeaderBytes;
             return !each.log->isBlocked() && isSignOfLife;
           });
  };
  for (int idle = 0, rounds = 0; idle < 6; ++rounds) {
    if (rounds > 3000) {
      error_ += "messages are in flight after 3000 rounds\n";
      return;
    }
    const bool moved = moveAll();
    turn();
    now_ += isQuiet() ? 50ms : moved ? 0ms : 600ms;
    idle = !moved && isQuiet() ? idle + 1 : 0;
  }
  for (const Client& client : clients_) {
    jobs_.acknowledge(client.participant, client.link->dialect().acknowledged());
  }
}

void ChannelsSimulation::finishAllJobs() {
  const auto hasJobs = [this] {
    return std::ranges::any_of(clients_, [](const Client& each) { return !each.held.empty(); });
  };
  while (hasJobs() && error_.empty()) {
    for (std::size_t i = 0; i < kClients; ++i) endJob(i);
    runWithoutFaults();
  }
}

}  // namespace stormo::channel
