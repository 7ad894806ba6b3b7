#include "server/join_queue.h"

#include <stormo/event_loop.h>

#include <algorithm>
#include <utility>

namespace stormo::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = ClientState::Join::Kind;

// Joins of each kind that the Channel has not answered yet.
constexpr std::size_t kRequestedMax = 16;
// A replay of more bytes counts as long.
constexpr std::size_t kLongReplayBytes = 64 << 10;
// Interval of checks whether waiting clients may have their replay, and clients in each check.
constexpr milliseconds kTick{10};
constexpr std::size_t kClientsPerTick = 1000;
// Time by which a client may exceed its rate.
constexpr seconds kBurst{1};

ClientState::Join* nextOf(ClientState& state, Kind kind) {
  const auto next = std::ranges::find_if(state.joins, [&](const ClientState::Join& join) {
    return !join.isRequested && join.kind() == kind;
  });
  return next == state.joins.end() ? nullptr : &*next;
}

}  // namespace

JoinQueue::JoinQueue(Worker& worker, const GroupServerOptions& options)
    : worker_(worker), options_(options) {
  laneOf(Kind::Plain).requestedMax = kRequestedMax;
}

JoinQueue::~JoinQueue() {
  if (tick_ != 0 && EventLoop::currentOrNull() != nullptr) Timer::cancel(tick_);
}

void JoinQueue::add(Connection& client, ClientState& state) {
  const Kind kind = state.joins.back().kind();
  // The next replay of this client follows when the current one is done.
  if (kind == Kind::Replay && state.isReplaying) return;
  enqueue(client, state, kind);
  requestNext(kind);
}

void JoinQueue::enqueue(Connection& client, ClientState& state, Kind kind) {
  if (std::exchange(state.isQueued[static_cast<std::size_t>(kind)], true)) return;
  Lane& lane = laneOf(kind);
  if (lane.clients.size() >= lane.sweptAt) sweep(lane);
  lane.clients.push_back(client.id());
}

void JoinQueue::sweep(Lane& lane) {
  std::erase_if(lane.clients, [&](ConnectionId id) { return worker_.find(id) == nullptr; });
  lane.sweptAt = std::max<std::size_t>(64, 2 * lane.clients.size());
}

void JoinQueue::requestNext(Kind kind) {
  if (std::exchange(isRequesting_, true)) return;  // called inside onTurn: the loop below continues
  Lane& lane = laneOf(kind);
  while (lane.requested < lane.requestedMax && !lane.clients.empty()) {
    const ConnectionId id = lane.clients.front();
    lane.clients.pop_front();
    Connection* const client = worker_.find(id);
    if (client == nullptr) continue;
    ClientState& state = client->state<ClientState>();
    state.isQueued[static_cast<std::size_t>(kind)] = false;
    ClientState::Join* const next = nextOf(state, kind);
    if (next == nullptr) continue;
    if (kind == Kind::Replay && !mayReplay(*client, state)) {
      state.isQueued[static_cast<std::size_t>(kind)] = true;
      wait(id);
      continue;
    }
    next->isRequested = true;
    ++lane.requested;
    if (kind == Kind::Replay) {
      state.isReplaying = true;
    } else {
      enqueue(*client, state, kind);  // after the others, if it has more
    }
    onTurn(id, ClientState::Join(*next));
  }
  isRequesting_ = false;
}

void JoinQueue::done(ConnectionId id, const ClientState::Join& join, std::size_t replayedBytes) {
  const Kind kind = join.kind();
  Lane& lane = laneOf(kind);
  --lane.requested;
  if (kind == Kind::Replay) {
    const bool isLong = replayedBytes > kLongReplayBytes;
    lane.requestedMax = isLong ? 1 : std::min(lane.requestedMax + 1, kRequestedMax);
    if (Connection* client = worker_.find(id)) {
      ClientState& state = client->state<ClientState>();
      const std::chrono::duration<double> cost(static_cast<double>(replayedBytes) /
                                               static_cast<double>(options_.replayBytesPerSecond));
      state.isReplaying = false;
      state.replaysPaidAt = std::max(state.replaysPaidAt, EventLoop::current().now()) +
                            std::chrono::duration_cast<EventLoop::Duration>(cost);
      enqueue(*client, state, kind);
    }
  }
  requestNext(kind);
}

bool JoinQueue::mayReplay(const Connection& client, const ClientState& state) const {
  return client.sendQueueBytes() <= worker_.maxSendBufferSize / 8 &&
         state.replaysPaidAt - EventLoop::current().now() <= kBurst;
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
  requestNext(Kind::Replay);
  if (waiting_.empty()) Timer::cancel(std::exchange(tick_, 0));
}

}  // namespace stormo::server
