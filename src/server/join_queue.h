#pragma once

#include <stormo/timer.h>
#include <stormo/worker.h>

#include <array>
#include <cstddef>
#include <deque>
#include <functional>

#include "server/client.h"
#include "server/settings.h"

namespace stormo::server {

/// The joins of a worker's clients on their way to the Channel. Clients take turns, with one join
/// each, so that many joins of one client do not hold up the others. A join with a position is
/// answered by a replay, which may be as long as a group's history. Therefore a client's next one
/// waits until its last one has been sent, by and large, and until the bytes of those before are
/// within Settings::replayBytesPerSecond; and the worker asks for one at a time while they are
/// long. Other joins pass these.
class JoinQueue {
 public:
  JoinQueue(Worker& worker, const Settings& settings);
  ~JoinQueue();
  JoinQueue(const JoinQueue&) = delete;
  JoinQueue& operator=(const JoinQueue&) = delete;

  /// Asks the Channel. For each call done() has to be called once, maybe within it.
  std::function<void(ConnectionId client, const Client::Join& join)> ask;

  /// That join is the last of client.joins. May call ask().
  void add(Connection& connection, Client& client);
  /// The Channel has answered with so many bytes, whether or not somebody still wanted them. The
  /// client may be gone. May call ask().
  void done(ConnectionId client, const Client::Join& join, std::size_t replayedBytes);

 private:
  /// Clients that have joins of one kind to be asked, each once; some are gone, or have none left.
  struct Lane {
    std::deque<ConnectionId> clients;
    std::size_t sweptAt = 64;  // so many, and those that are gone are taken out
    std::size_t asked = 0;     // and not answered yet
    std::size_t askedMax = 1;  // of replays: grows while they are short
  };

  void enqueue(Connection& connection, Client& client, Client::Join::Kind kind);
  void sweep(Lane& lane);
  void askNext(Client::Join::Kind kind);
  [[nodiscard]] bool mayReplay(const Connection& connection, const Client& client) const;
  void wait(ConnectionId client);
  void onTick();
  Lane& laneOf(Client::Join::Kind kind) { return lanes_[static_cast<std::size_t>(kind)]; }

  Worker& worker_;
  const Settings& settings_;
  std::array<Lane, 2> lanes_;
  std::deque<ConnectionId> waiting_;  // for their replays; looked at again at each tick
  Timer::Id tick_ = 0;                // while some wait
  bool asking_ = false;
};

}  // namespace stormo::server
