#include "channel/simulation.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "event/loop_impl.h"
#include "event/process_life.h"
#include "net/reactor.h"
#include "support/loop_fixture.h"
#include "support/raw_peer.h"
#include "sys/sockets.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kGroups = 3;
constexpr std::size_t kMembersGroup = 0;  // all clients subscribe to it
constexpr std::size_t kQueues = 2;
constexpr int kSteps = 150;
constexpr std::size_t kEverything = ~std::size_t{0};
// Longer than a client's delay before it reconnects, and the pauses of a log that is blocked.
constexpr auto kStride = 3s;
// A consumer without a link for so long has lost its jobs.
constexpr auto kStallMax = 12h;

}  // namespace

TimePoint Simulation::now_{};

Simulation::Simulation(std::uint64_t seed) : random_(seed) {
  now_ = TimePoint{} + 1h;
  LoopImpl::of(loop_).useClock([] { return now_; });
  configure(seed);
  const std::string path = directory_.file("channel");
  listening_ = std::move(*listenOn(*Address::unixPath(path)));
  server_.emplace(loop_, settings_, listening_.get(), seed);
  server_->onDeath = [this] { shutServerSockets(); };
  server_->onNewEpoch = [this] {
    note("  a new epoch begins");
    ledger_.loseRecords();
    jobs_.loseRecords();
  };
  server_->start();
  for (std::size_t i = 0; i < kClients; ++i) {
    links_.push_back(
        std::make_unique<SimulatedLink>(directory_.file("link" + std::to_string(i)), path));
    clients_.emplace_back();
    startClient(i, true);
  }
  for (Member& member : members_) startMember(member);
  runWithoutFaults();
}

Simulation::~Simulation() {
  for (Member& member : members_) member.self.reset();
  clients_.clear();
}

void Simulation::configure(std::uint64_t seed) {
  isCalm_ = seed % 8 == 0;
  settings_.linkStallMax = kStallMax;
  settings_.linkBytesMax = 500 + below(4000);
  settings_.replayAgeMax = 240h;
  settings_.history.groups = {"*"};
  settings_.history.messagesMax = 12;  // some members rejoin too late
  settings_.history.ageMax = 240h;
  settings_.log.sync =
      std::array{SyncPolicy::Process, SyncPolicy::Interval, SyncPolicy::Always}[seed % 3];
  settings_.log.segmentBytes = 300 + below(3000);
}

void Simulation::run() {
  for (int i = 0; i < kSteps; ++i) step();
  runWithoutFaults();
  for (Member& member : members_) {
    if (!member.self->isJoined()) move(member, 0);
  }
  runWithoutFaults();
  finishAllJobs();
  now_ += kStallMax + 1h;  // jobs of processes that have died go to others
  turn();
  runWithoutFaults();
  finishAllJobs();
}

std::string Simulation::error() {
  if (!error_.empty()) return error_;
  if (!server_->error().empty()) return server_->error();
  if (UnfinishedWork::count() != 0) return "not everything was acknowledged\n";
  return ledger_.error() + jobs_.error(isCalm_);
}

Simulation::Counts Simulation::counts() const {
  Counts counts = counts_;
  counts.messages = ledger_.receivedCount();
  counts.jobs = jobs_.doneCount();
  counts.snapshots = server_->snapshotCount();
  counts.newEpochs = server_->newEpochCount();
  return counts;
}

// --- Clients and members ---

void Simulation::startClient(std::size_t index, bool isFirst) {
  Client& client = clients_[index];
  SimulationLedger::Numbers groups = {kMembersGroup};
  for (std::size_t group = 0; group < kGroups; ++group) {
    if (group != kMembersGroup && below(3) != 0) groups.push_back(group);
  }
  client = {};
  client.participant = ledger_.begin(groups, isFirst);
  client.link =
      std::make_unique<ClientLink>(links_[index]->url(), ChannelOptions{.pingInterval = 240h});
  ClientLink& link = *client.link;
  link.onGroupMessage = [this, index](const GroupMessage& message) {
    Client& self = clients_[index];
    self.hasReceived = true;
    ledger_.receive(self.participant, self.link->dialect().position().epoch, message.group,
                    message.message.data);
    forMembersOf(index, [&](SimulatedMember& member) { member.onEvent(message); });
  };
  link.onConnect = [this, index] {
    Client& self = clients_[index];
    if (self.epoch == 0) self.epoch = self.link->dialect().position().epoch;
  };
  link.onGap = [this, index] { onGap(index); };
  link.onJob = [this, index](std::uint64_t number, std::string_view queue, const Value& text) {
    Client& self = clients_[index];
    jobs_.receive(self.participant, self.link->dialect().position().epoch, queue, text.asString());
    const bool isUsed = std::ranges::find(self.held, number, &HeldJob::number) != self.held.end();
    if (isUsed) error_ += "two jobs have one number\n";
    self.held.push_back({number, std::string(text.asString())});
    note("  client " + std::to_string(index) + " receives job " + self.held.back().text +
         " as number " + std::to_string(number));
  };
  for (const std::size_t group : groups) link.dialect().subscribeGroup(std::to_string(group));
  // The first queue has one consumer.
  link.watch({std::to_string(index == 0 ? 0 : 1)});
  for (std::size_t left = 1 + below(2); left > 0; --left) link.reserve();
  link.connect();
}

void Simulation::killClient(std::size_t index) {
  Client& client = clients_[index];
  ledger_.end(client.participant);
  jobs_.end(client.participant, client.link->dialect().acknowledged());
  forMembersOf(index, [](SimulatedMember& member) { member.leave(); });
  client.link.reset();
}

/// Legal in a new epoch only: once, and until the process has a position there, with each lost link
/// again. The process closes the connections of its clients.
void Simulation::onGap(std::size_t index) {
  Client& client = clients_[index];
  const std::uint64_t epoch = client.link->dialect().position().epoch;
  const bool isNewEpoch = std::exchange(client.epoch, epoch) != epoch;
  const bool hasPosition = client.hasReceived || server_->newEpochCount() == 0;
  if (!isNewEpoch && hasPosition) error_ += "a gap\n";
  client.hasReceived = false;
  ledger_.missed(client.participant);
  forMembersOf(index, [](SimulatedMember& member) { member.leave(); });
}

void Simulation::startMember(Member& member) {
  member.participant = ledger_.begin({kMembersGroup}, false);
  member.self.emplace(member.participant + 1, std::to_string(kMembersGroup));
  member.self->onMessage = [this, participant = member.participant](std::uint64_t epoch,
                                                                    std::string_view text) {
    ledger_.receive(participant, epoch, std::to_string(kMembersGroup), text);
  };
  member.self->onGap = [this, participant = member.participant] { ledger_.missed(participant); };
}

template <typename Function>
void Simulation::forMembersOf(std::size_t index, const Function& function) {
  for (Member& member : members_) {
    if (member.self && member.self->isJoined() && member.client == index) function(*member.self);
  }
}

void Simulation::move(Member& member, std::size_t index) {
  if (member.self->isJoined()) return member.self->leave();
  member.client = index;
  member.self->join(*clients_[index].link);
}

void Simulation::actAsMember(Member& member, std::size_t index) {
  const std::string name = std::to_string(&member - members_.data());
  if (member.self->isJoined() && below(3) != 0) {
    note("member " + name + " publishes");
    member.self->publish(textFor(member.participant, kMembersGroup));
  } else {
    note("member " + name + (member.self->isJoined() ? " leaves" : " joins client ") +
         (member.self->isJoined() ? "" : std::to_string(index)));
    move(member, index);
  }
}

void Simulation::publish(std::size_t index) {
  const std::size_t group = below(kGroups);
  (void)clients_[index].link->dialect().publishToGroup(
      std::to_string(group), textFor(clients_[index].participant, group), {});
}

std::string Simulation::textFor(std::size_t participant, std::size_t group) {
  // Some are longer than a sector of the disk, and than what a turn of the network moves.
  const std::size_t spaces = std::array<std::size_t, 8>{1, 1, 1, 1, 1, 600, 600, 3000}[below(8)];
  return ledger_.publish(participant, group, spaces);
}

void Simulation::enqueue(std::size_t index) {
  const Client& client = clients_[index];
  ClientDialect& dialect = client.link->dialect();
  const std::size_t queue = below(kQueues);
  const std::string text = jobs_.enqueue(client.participant, queue, dialect.accepted() + 1);
  (void)dialect.enqueue({std::to_string(queue)}, text);
}

void Simulation::endJob(std::size_t index) {
  Client& client = clients_[index];
  if (client.held.empty()) return;
  const std::size_t which = below(client.held.size());
  const HeldJob job = std::move(client.held[which]);
  client.held.erase(client.held.begin() + static_cast<std::ptrdiff_t>(which));
  ClientDialect& dialect = client.link->dialect();
  if (!isCalm_ && below(6) == 0) {
    note("client " + std::to_string(index) + " gives job " + job.text + " back");
    jobs_.giveBack(job.text);
    (void)dialect.giveBackJob(job.number, {}, {});
  } else {
    note("client " + std::to_string(index) + " finishes job " + job.text);
    dialect.finishJob(job.number);
    jobs_.finish(job.text, dialect.accepted());
  }
  client.link->reserve();
}

// --- Turns ---

void Simulation::turn() {
  // Small buffers, so that output waits outside of the kernel early.
  net::ConnectionTable::of(loop_).forEach([this](net::ConnectionImpl& connection) {
    test::shrinkSendBuffer(connection.fd.get());
    if (connection.out.skipsFanout) ++counts_.lags;
  });
  if (server_->isBlocked()) ++counts_.blocked;
  loop_.turn(0ms);
}

void Simulation::turnWithDisk() {
  server_->completeSync();
  server_->completeSnapshot();
  turn();
}

/// What the server writes from now on reaches nobody.
void Simulation::shutServerSockets() {
  ++counts_.deathsInTurn;
  note("  the server dies");
  net::ConnectionTable::of(loop_).forEach([this](net::ConnectionImpl& connection) {
    const bool isClients = std::ranges::any_of(clients_, [&](const Client& each) {
      return each.link && each.link->connection() == &connection;
    });
    if (!isClients) ::shutdown(connection.fd.get(), SHUT_RDWR);
  });
}

bool Simulation::moveAll() {
  bool moved = false;
  for (const auto& link : links_) {
    moved |= link->accept();
    moved |= link->moveUp(kEverything);
    moved |= link->moveDown(kEverything);
  }
  return moved;
}

void Simulation::runWithoutFaults() {
  server_->repair();
  for (Client& client : clients_) client.isStalled = false;
  for (int idleRounds = 0, rounds = 0; idleRounds < 4; ++rounds) {
    if (rounds > 3000) {
      error_ += "messages are in flight after 3000 rounds\n";
      return;
    }
    if (!isUp()) server_->start();
    const bool moved = moveAll();
    const bool waits = server_->isWaiting();
    turnWithDisk();
    const bool areUp =
        std::ranges::all_of(clients_, [](const Client& each) { return each.link->isConnected(); });
    if (!moved && (waits || !areUp)) now_ += kStride;
    idleRounds = moved || waits || !areUp ? 0 : idleRounds + 1;
  }
  for (const Client& client : clients_) {
    jobs_.acknowledge(client.participant, client.link->dialect().acknowledged());
  }
  if (settings_.log.sync != SyncPolicy::Interval || hasFailedSync_) return;
  now_ += kStride;
  turn();
  turnWithDisk();
  turnWithDisk();
  jobs_.noteDurable();
}

void Simulation::finishAllJobs() {
  const auto hasJobs = [this] {
    return std::ranges::any_of(clients_, [](const Client& each) { return !each.held.empty(); });
  };
  while (hasJobs() && error_.empty()) {
    for (std::size_t i = 0; i < kClients; ++i) endJob(i);
    runWithoutFaults();
  }
}

}  // namespace stormo::channel
