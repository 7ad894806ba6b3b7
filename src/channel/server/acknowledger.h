#pragma once

#include <stormo/timer.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/reactor.h"

namespace stormo::channel {

/// Acknowledges publishes once their events are in the sockets of all links that receive them. A
/// link that does not read delays the acknowledgements of all producers, until it is closed for
/// writing nothing for `stallMax`.
///
/// Runs after all output of a turn was flushed: then a link that did not take its output has a
/// queue.
class Acknowledger final : net::FlushObserver {
 public:
  /// State of one link.
  struct Link {
    explicit Link(net::ConnectionImpl& of) : connection(&of) {}

    net::ConnectionImpl* connection;
    std::uint64_t published = 0;     ///< Latest sequence received.
    std::uint64_t acknowledged = 0;  ///< Latest sequence acknowledged.
    /// Publishes that are not yet acknowledged, one entry per turn. Their events are up to
    /// `offset`.
    struct HeldUp {
      std::uint64_t offset;
      std::uint64_t sequence;
    };
    std::vector<HeldUp> heldUp{};

    bool isStalled = false;          ///< Its output queue is not empty. Then:
    std::uint64_t reached = 0;       ///< events up to this offset are in its socket;
    std::uint64_t bytesWritten = 0;  ///< ConnectionImpl::bytesWritten() at the last progress;
    int idleTicks = 0;               ///< ticks without progress since then.
  };

  /// `head` is the offset of the latest event. Both references outlive this.
  Acknowledger(net::Reactor& reactor, const std::uint64_t& head,
               std::chrono::milliseconds stallMax);
  ~Acknowledger();
  Acknowledger(const Acknowledger&) = delete;
  Acknowledger& operator=(const Acknowledger&) = delete;

  /// Valid until remove().
  Link& add(net::ConnectionImpl& connection);
  void remove(const net::ConnectionImpl& connection);
  /// Called for each publish of the link, resent ones included.
  void onPublish(Link& link, std::uint64_t sequence) {
    if (sequence > link.published) link.published = sequence;
    hasWork_ = true;
  }

 private:
  void onFlushed() override;
  [[nodiscard]] std::uint64_t reachedByAll();
  /// False if publishes of the link remain unacknowledged.
  bool acknowledge(Link& link, std::uint64_t reached);
  /// Closes links without progress. Stalls are measured in ticks, not in time: between two ticks
  /// there is at least one turn that flushes, so no link is closed because this process was
  /// blocked.
  void cutStuck();

  net::Reactor& reactor_;
  const std::uint64_t& head_;
  const std::chrono::milliseconds stallMax_;
  std::vector<std::unique_ptr<Link>> links_;  // few: one per process
  std::uint64_t lastHead_ = 0;                // at the end of the last turn
  bool hasWork_ = false;                      // some publishes are not acknowledged yet
  Timer::Id timer_ = 0;                       // runs while a link is stalled
  std::string scratch_;
};

}  // namespace stormo::channel
