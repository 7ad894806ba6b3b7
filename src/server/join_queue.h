#pragma once

#include <stormo/group_server.h>
#include <stormo/timer.h>
#include <stormo/worker.h>

#include <array>
#include <cstddef>
#include <deque>
#include <functional>

#include "server/client_state.h"

namespace stormo::server {

/// The joins of a worker's clients, on their way to the Channel. Clients take turns, with one join
/// each, so that many joins of one client do not delay the others. The reply to a join with a
/// position is a replay, which may be as long as a group's history. So the next replay of a client
/// waits until the last one has left its output queue, and until its replays are within
/// GroupServerOptions::replayBytesPerSecond; and a worker requests one replay at a time while they
/// are long. Other joins overtake replays.
class JoinQueue {
 public:
  JoinQueue(Worker& worker, const GroupServerOptions& options);
  ~JoinQueue();
  JoinQueue(const JoinQueue&) = delete;
  JoinQueue& operator=(const JoinQueue&) = delete;

  /// It is this join's turn. Each call requires one call of done(), maybe inside it.
  std::function<void(ConnectionId client, const ClientState::Join& join)> onTurn;

  /// That join is the last one of state.joins. May call onTurn.
  void add(Connection& client, ClientState& state);
  /// The Channel has replied with this number of bytes, whether or not the client still waits for
  /// them; it may be closed. May call onTurn.
  void done(ConnectionId client, const ClientState::Join& join, std::size_t replayedBytes);

 private:
  /// Clients that wait with joins of one kind, each once. Some are closed, or have none left.
  struct Lane {
    std::deque<ConnectionId> clients;
    std::size_t sweptAt = 64;      // with this number of clients the closed ones are removed
    std::size_t requested = 0;     // and not answered yet
    std::size_t requestedMax = 1;  // for replays it grows while they are short
  };

  void enqueue(Connection& client, ClientState& state, ClientState::Join::Kind kind);
  void sweep(Lane& lane);
  void requestNext(ClientState::Join::Kind kind);
  [[nodiscard]] bool mayReplay(const Connection& client, const ClientState& state) const;
  void wait(ConnectionId client);
  void onTick();
  Lane& laneOf(ClientState::Join::Kind kind) { return lanes_[static_cast<std::size_t>(kind)]; }

  Worker& worker_;
  const GroupServerOptions& options_;
  std::array<Lane, 2> lanes_;
  std::deque<ConnectionId> waiting_;  // for their replays; looked at again at each tick
  Timer::Id tick_ = 0;                // while some wait
  bool isRequesting_ = false;
};

}  // namespace stormo::server
