#pragma once

#include <stormo/timer.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "channel/log/log.h"
#include "channel/server/channel_state.h"
#include "net/reactor.h"

namespace stormo::channel {

/// The way into the log: collects the records of a turn, appends them, and acknowledges publishes
/// when their records are applied.
///
/// Links whose publishes the log cannot take at the moment (a full disk, too much that is not
/// synced) are not read until it can.
class Journal {
 public:
  /// What a link has published, and what was acknowledged of it. Belongs to the link's state.
  class Acks {
   private:
    friend class Journal;
    /// Publishes that are not yet acknowledged, one entry for each turn. Their records are applied
    /// when `count` records of this journal are.
    struct Pending {
      std::uint64_t count;
      std::uint64_t sequence;
    };
    net::ConnectionImpl* connection_ = nullptr;
    std::uint64_t published_ = 0;  // latest sequence received
    std::vector<Pending> pending_;
  };

  /// All outlive this. `log` is open.
  Journal(net::Reactor& reactor, Log& log, const ChannelState& state);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Adds a record to those of this turn. `packet` is the payload of its frame.
  void add(std::uint64_t producerId, std::string_view packet);
  /// The same for a publish, which is acknowledged to this link. Pauses the link if it must not
  /// publish more now.
  void addPublish(Acks& acks, net::ConnectionImpl& connection, std::uint64_t producerId,
                  std::uint64_t sequence, std::string_view packet);
  /// Appends the records of this turn, and those that applying them adds. Then acknowledges.
  void flush();
  /// Whether the log cannot be written, as of the latest updateBlocked().
  [[nodiscard]] bool isBlocked() const { return isBlocked_; }
  /// Once a turn. True if isBlocked() has changed.
  [[nodiscard]] bool updateBlocked();
  /// A link has closed.
  void forget(const net::ConnectionImpl& connection);

  /// The number of records that were added, and how many of them were applied, in that order. Their
  /// offsets are not known before: other nodes may share the log.
  [[nodiscard]] std::uint64_t added() const { return added_; }
  [[nodiscard]] std::uint64_t applied() const { return log_.appliedCount(); }
  /// The time of a record that is added now, in milliseconds since 1970. It never goes back.
  [[nodiscard]] std::uint64_t now();

 private:
  /// A link of which nothing is read until the log takes publishes again.
  struct Paused {
    Handle id;
    bool takesPong;  ///< It is of Stormo's dialect: a sign of life keeps it.
  };

  void acknowledge();
  [[nodiscard]] bool isFull() const;
  void pause(net::ConnectionImpl& connection, bool takesPong);
  void resumeAll();

  net::Reactor& reactor_;
  Log& log_;
  const std::uint64_t wallClockAtZero_;  // of a loop time of zero
  std::uint64_t latestTime_ = 0;
  TimePoint turn_{};     // for which latestTime_ was computed
  std::string records_;  // of this turn
  std::string appending_;
  std::uint64_t added_;         // records
  std::uint64_t appended_;      // of these
  std::uint64_t acknowledged_;  // of these
  std::vector<Acks*> waiting_;  // with pending acknowledgements
  std::vector<Paused> paused_;
  bool isBlocked_ = false;
  Timer::Id keepalive_ = 0;  // while links are paused
  std::string scratch_;
};

}  // namespace stormo::channel
