#include "channel/cluster/cluster_simulation.h"

#include <algorithm>
#include <chrono>

#include "channel/log/record.h"
#include "channel/log/snapshot_file.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;

constexpr int kSteps = 400;
constexpr auto kGoneAfter = 10s;

}  // namespace

EventLoop::TimePoint ClusterSimulation::now_{};

ClusterSimulation::ClusterSimulation(std::uint64_t seed) : random_(seed) {
  now_ = TimePoint{} + 1h;
  LoopImpl::of(loop_).useClock([] { return now_; });
  servers_.messageBytesMax = kBatchHeaderBytes + 60 + below(300);
  for (std::size_t i = 0; i < kNodes; ++i) start(nodes_[i]);
}

void ClusterSimulation::run() {
  for (int i = 0; i < kSteps && error_.empty(); ++i) step();
  runWithoutFaults();
}

std::string ClusterSimulation::error() {
  if (!error_.empty()) return error_;
  const std::vector<std::string>& first = nodes_[0].state->entries;
  if (hasLost_) ++counts_.losses;
  for (Node& node : nodes_) {
    if (!node.isOpen) return "a node does not take part\n";
    if (node.state->entries != first) return "two nodes have different records\n";
    if (node.log->waitingBytes() != 0) return "not all came back\n";
    if (node.log->appliedCount() != node.appended) return "records were not counted\n";
  }
  return lostOrRepeated(first);
}

void ClusterSimulation::start(Node& node) {
  node.directory.endPending();
  auto stream = std::make_unique<ScriptedStream>(servers_);
  node.stream = stream.get();
  node.state.emplace();
  node.isOpen = node.isBroken = false;
  node.appended = 0;
  node.process = ++lastProcess_;
  node.wasCut = servers_.info().first > 1;
  node.log = std::make_unique<ClusterLog>(
      std::move(stream), node.directory,
      ClusterLogSettings{.node = nameOf(node), .goneAfter = kGoneAfter, .snapshotBytes = 500});
  node.log->onBroken = [&node] { node.isBroken = true; };
  if (!node.log->open(*node.state, [this, &node] { onOpened(node); })) error_ += "cannot open\n";
}

void ClusterSimulation::onOpened(Node& node) {
  node.isOpen = true;
  const bool hasOwn = std::ranges::any_of(node.directory.names(), [](const std::string& name) {
    return offsetOfSnapshotName(name).has_value();
  });
  if (!hasOwn && node.wasCut) ++counts_.peerSnapshots;
}

void ClusterSimulation::kill(Node& node) {
  counts_.recalled += node.state->recalled.size();
  node.log.reset();
  node.directory.kill();
}

void ClusterSimulation::append(Node& node) {
  if (!node.isOpen || node.log->isBlocked()) return;
  std::string records;
  const std::size_t count = 1 + below(4);
  for (std::size_t i = 0; i < count; ++i) {
    std::string packet = std::to_string(++lastRecord_);
    const std::size_t padding = below(12) == 0 ? 1000 : below(60);
    appendRecord({.time = 1, .producerId = 1, .packet = packet + std::string(padding, ' ')},
                 records);
    sent_[node.process].push_back(packet);
  }
  node.appended += count;
  node.log->append(records, count);
  note("node " + nameOf(node) + " appends " + std::to_string(count));
}

void ClusterSimulation::step() {
  Node& node = nodes_[below(kNodes)];
  ScriptedStream& stream = *node.stream;
  const std::string name = nameOf(node);
  switch (below(40)) {
    case 0:
      if (below(3) != 0) return;
      note("node " + name + " dies");
      kill(node);
      if (below(4) == 0) {
        note("  for long");
        now_ += 4s;
      }
      if (below(6) == 0 && (isCoveredByOthers(node) || below(8) == 0)) {
        note("  and its directory is lost");
        if (!isCoveredByOthers(node)) hasLost_ = true;
        for (const std::string& file : node.directory.names()) (void)node.directory.remove(file);
      }
      return start(node);
    case 1:
      if (!stream.isConnected() || below(2) == 0) return;
      note("node " + name + " is cut");
      return stream.disconnect();
    case 2:
    case 3:
    case 4:
      if (stream.isConnected()) return;
      note("node " + name + " connects");
      return stream.connect();
    case 5:
      if (stream.inFlight() == 0) return;
      note("a message of node " + name + " is lost");
      return stream.loseOne(below(stream.inFlight()));
    case 6:
      note("time passes");
      now_ += 700ms;
      return turn();
    case 7:
      if (below(4) == 0) servers_.forgetIds();
      return;
    case 8:
      if (below(3) != 0) return;
      return forget();
    case 9:
      if (!node.directory.hasPendingSnapshot()) return;
      note("node " + name + " has a snapshot");
      ++counts_.snapshots;
      node.directory.completeSnapshot();
      turn();
      while (node.directory.hasPendingSync()) node.directory.completeSync();
      return turn();
    case 10:
      if (below(6) != 0) return;
      note("much time passes");
      now_ += 6s;
      return turn();
    case 18:
      if (below(100) == 0) loseMessages();
      return;
    case 11:
      if (below(3) == 0 && stream.isConnected()) stream.refuse("no room");
      return;
    case 12:
    case 13:
    case 14:
    case 15:
    case 16:
      return append(node);
    case 17:
      return turn();
    default:
      break;
  }
  switch (below(3)) {
    case 0:
      for (std::size_t left = 1 + below(8); left > 0 && stream.storeOne();) --left;
      return;
    case 1:
      (void)stream.talkOne();
      return;
    default:
      for (std::size_t left = 1 + below(12); left > 0 && stream.readOne();) --left;
      return checkAll();
  }
}

void ClusterSimulation::loseMessages() {
  if (servers_.last() < servers_.info().first) return;
  const std::size_t count = 1 + below(6);
  note("the stream loses " + std::to_string(count) + " messages");
  for (Node& node : nodes_) {
    if (node.stream->isConnected()) node.stream->disconnect();
  }
  servers_.loseAfter(servers_.last() - std::min<std::uint64_t>(count, servers_.last()));
  servers_.forgetIds();
  hasLost_ = true;
}

std::uint64_t ClusterSimulation::coveredBy(const Node& node) {
  std::uint64_t covered = 0;
  for (const std::string& name : node.directory.names()) {
    covered = std::max(covered, offsetOfSnapshotName(name).value_or(0));
  }
  return covered;
}

bool ClusterSimulation::isCoveredByOthers(const Node& node) {
  return std::ranges::any_of(nodes_, [&](const Node& each) {
    return &each != &node && coveredBy(each) + 1 >= servers_.info().first;
  });
}

void ClusterSimulation::forget() {
  std::uint64_t covered = 0;
  for (const Node& node : nodes_) covered = std::max(covered, coveredBy(node));
  if (covered == 0) return;
  note("the stream forgets what is before " + std::to_string(covered));
  servers_.forgetBefore(covered - below(3));
}

void ClusterSimulation::checkAll() {
  for (Node& node : nodes_) {
    if (!node.state->error.empty()) error_ += node.state->error;
    for (const auto& [offset, packet] : node.state->recalled) {
      const Place place{node.state->epoch, offset};
      if (known_.contains(place) && known_[place] != packet && !hasLost_) {
        error_ += "recalled another one at " + std::to_string(offset) + ": " + packet.substr(0, 6) +
                  " known " + known_[place].substr(0, 6) + "\n";
      }
    }
    std::uint64_t offset = 0;
    for (const std::string& entry : node.state->entries) {
      if (entry.starts_with("gone")) continue;
      ++offset;
      const auto [known, isNew] = known_.try_emplace(Place{node.state->epoch, offset}, entry);
      if (!isNew && known->second != entry && !hasLost_) error_ += "two records have one offset\n";
    }
    if (node.isBroken) {
      note("node " + nameOf(node) + " starts again");
      kill(node);
      start(node);
    }
  }
}

void ClusterSimulation::runWithoutFaults() {
  for (int round = 0, idle = 0; idle < 12 && error_.empty(); ++round) {
    if (round > 3000) {
      error_ += "messages are in flight after 3000 rounds\n";
      return;
    }
    bool moved = false;
    for (Node& node : nodes_) {
      if (!node.stream->isConnected()) node.stream->connect();
      moved |= node.stream->moveAll();
      if (node.directory.hasPendingSnapshot()) node.directory.completeSnapshot();
      while (node.directory.hasPendingSync()) node.directory.completeSync();
    }
    checkAll();
    const bool areOpen = std::ranges::all_of(nodes_, &Node::isOpen);
    const bool areEmpty =
        std::ranges::all_of(nodes_, [](const Node& each) { return each.log->waitingBytes() == 0; });
    now_ += 300ms;
    turn();
    idle = areOpen && areEmpty ? idle + 1 : 0;
  }
  counts_.records = nodes_[0].state->offset;
  counts_.messages = servers_.last();
  for (const std::string& entry : nodes_[0].state->entries) {
    if (entry.starts_with("gone")) ++counts_.gone;
  }
  for (Node& node : nodes_) {
    (void)node.stream->moveAll();
    counts_.recalled += node.state->recalled.size();
  }
  // The last signs of life may be on their way.
  for (int i = 0; i < 3; ++i) {
    for (Node& node : nodes_) (void)node.stream->moveAll();
  }
}

std::string ClusterSimulation::lostOrRepeated(const std::vector<std::string>& entries) {
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].starts_with("gone")) continue;
    const std::string number = entries[i].substr(0, entries[i].find(' '));
    if (!places.emplace(number, i).second) return "record " + number + " was applied twice\n";
  }
  for (const auto& [process, records] : sent_) {
    const bool lives = std::ranges::any_of(
        nodes_, [id = process](const Node& each) { return each.process == id; });
    std::size_t before = 0;
    bool isEnded = false;
    for (const std::string& record : records) {
      const auto place = places.find(record);
      if (place == places.end()) {
        if (hasLost_) continue;
        if (lives) return "record " + record + " is lost\n";
        isEnded = true;
        continue;
      }
      if (isEnded) return "record " + record + " came without those before it\n";
      if (place->second < before) return "record " + record + " has overtaken another\n";
      before = place->second;
    }
  }
  return {};
}

}  // namespace stormo::channel
