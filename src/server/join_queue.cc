#include "server/join_queue.h"

#include <stormo/event_loop.h>

#include <algorithm>
#include <utility>

namespace stormo::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = Client::Join::Kind;

// Of each kind, on their way to the Channel and back.
constexpr std::size_t kAskedMax = 16;
// A replay of more bytes is long.
constexpr std::size_t kLongReplayBytes = 64 << 10;
// Until clients that wait for their replays are looked at again, and how many of them at a time.
constexpr milliseconds kTick{10};
constexpr std::size_t kClientsPerTick = 1000;
// What a client may be ahead of its rate.
constexpr seconds kBurst{1};

Client::Join* nextOf(Client& client, Kind kind) {
  const auto next = std::ranges::find_if(
      client.joins, [&](const Client::Join& join) { return !join.isAsked && join.kind() == kind; });
  return next == client.joins.end() ? nullptr : &*next;
}

}  // namespace

JoinQueue::JoinQueue(Worker& worker, const Settings& settings)
    : worker_(worker), settings_(settings) {
  laneOf(Kind::Plain).askedMax = kAskedMax;
}

JoinQueue::~JoinQueue() {
  if (tick_ != 0 && EventLoop::currentOrNull() != nullptr) Timer::cancel(tick_);
}

void JoinQueue::add(Connection& connection, Client& client) {
  const Kind kind = client.joins.back().kind();
  // Behind a replay comes the next one when that is done.
  if (kind == Kind::Replay && client.isReplaying) return;
  enqueue(connection, client, kind);
  askNext(kind);
}

void JoinQueue::enqueue(Connection& connection, Client& client, Kind kind) {
  if (std::exchange(client.isQueued[static_cast<std::size_t>(kind)], true)) return;
  Lane& lane = laneOf(kind);
  if (lane.clients.size() >= lane.sweptAt) sweep(lane);
  lane.clients.push_back(connection.id());
}

void JoinQueue::sweep(Lane& lane) {
  std::erase_if(lane.clients, [&](ConnectionId id) { return worker_.find(id) == nullptr; });
  lane.sweptAt = std::max<std::size_t>(64, 2 * lane.clients.size());
}

void JoinQueue::askNext(Kind kind) {
  if (std::exchange(asking_, true)) return;  // answered within ask(): the loop below goes on
  Lane& lane = laneOf(kind);
  while (lane.asked < lane.askedMax && !lane.clients.empty()) {
    const ConnectionId id = lane.clients.front();
    lane.clients.pop_front();
    Connection* const connection = worker_.find(id);
    if (connection == nullptr) continue;
    Client& client = connection->state<Client>();
    client.isQueued[static_cast<std::size_t>(kind)] = false;
    Client::Join* const next = nextOf(client, kind);
    if (next == nullptr) continue;
    if (kind == Kind::Replay && !mayReplay(*connection, client)) {
      client.isQueued[static_cast<std::size_t>(kind)] = true;
      wait(id);
      continue;
    }
    next->isAsked = true;
    ++lane.asked;
    if (kind == Kind::Replay) {
      client.isReplaying = true;
    } else {
      enqueue(*connection, client, kind);  // behind the others, if it has more
    }
    ask(id, Client::Join(*next));
  }
  asking_ = false;
}

void JoinQueue::done(ConnectionId id, const Client::Join& join, std::size_t replayedBytes) {
  const Kind kind = join.kind();
  Lane& lane = laneOf(kind);
  --lane.asked;
  if (kind == Kind::Replay) {
    const bool isLong = replayedBytes > kLongReplayBytes;
    lane.askedMax = isLong ? 1 : std::min(lane.askedMax + 1, kAskedMax);
    if (Connection* connection = worker_.find(id)) {
      Client& client = connection->state<Client>();
      const std::chrono::duration<double> cost(static_cast<double>(replayedBytes) /
                                               static_cast<double>(settings_.replayBytesPerSecond));
      client.isReplaying = false;
      client.replaysPaidAt = std::max(client.replaysPaidAt, EventLoop::current().now()) +
                             std::chrono::duration_cast<EventLoop::Duration>(cost);
      enqueue(*connection, client, kind);
    }
  }
  askNext(kind);
}

bool JoinQueue::mayReplay(const Connection& connection, const Client& client) const {
  return connection.sendQueueBytes() <= settings_.sendBufferBytesMax / 8 &&
         client.replaysPaidAt - EventLoop::current().now() <= kBurst;
}

void JoinQueue::wait(ConnectionId client) {
  waiting_.push_back(client);
  if (tick_ == 0) tick_ = Timer::add(kTick, [this] { onTick(); });
}

void JoinQueue::onTick() {
  Lane& lane = laneOf(Kind::Replay);
  for (std::size_t left = std::min(waiting_.size(), kClientsPerTick); left > 0; --left) {
    lane.clients.push_back(waiting_.front());
    waiting_.pop_front();
  }
  askNext(Kind::Replay);
  if (waiting_.empty()) Timer::cancel(std::exchange(tick_, 0));
}

}  // namespace stormo::server
