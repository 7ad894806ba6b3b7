#pragma once

#include <stormo/timer.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/reactor.h"

namespace stormo::channel {

/// When a publish is acknowledged: once its events have gone into the sockets of all links that get
/// them. A link that does not take what it is sent holds that up, for all publishers; but not for
/// good: it is cut when it takes nothing for too long.
///
/// Works when all output of a turn was flushed: then a link that did not take its output has a
/// queue.
class Acknowledger final : net::FlushObserver {
 public:
  /// What it knows of one link.
  struct Link {
    explicit Link(net::ConnectionImpl& of) : peer(&of) {}

    net::ConnectionImpl* peer;
    std::uint64_t published = 0;     ///< The last sequence that came.
    std::uint64_t acknowledged = 0;  ///< The last one that was answered.
    /// Publishes that are held up, one entry for each turn: their events are not behind `offset`.
    struct HeldUp {
      std::uint64_t offset;
      std::uint64_t sequence;
    };
    std::vector<HeldUp> heldUp{};

    bool isStalled = false;          ///< Something waits to be sent to it. Then:
    std::uint64_t reached = 0;       ///< events up to that one are in its socket;
    std::uint64_t bytesWritten = 0;  ///< so far it got;
    int idleTicks = 0;               ///< so often it was looked at since then.
  };

  /// `head` is the offset of the latest event, kept by its owner. Both references outlive this.
  Acknowledger(net::Reactor& reactor, const std::uint64_t& head,
               std::chrono::milliseconds stallMax);
  ~Acknowledger();
  Acknowledger(const Acknowledger&) = delete;
  Acknowledger& operator=(const Acknowledger&) = delete;

  /// Valid until remove().
  Link& add(net::ConnectionImpl& peer);
  void remove(const net::ConnectionImpl& peer);
  /// The link has published this, or has said again what it had published before.
  void onPublish(Link& link, std::uint64_t sequence) {
    if (sequence > link.published) link.published = sequence;
    hasWork_ = true;
  }

 private:
  void onFlushed() override;
  [[nodiscard]] std::uint64_t reachedByAll();
  /// False if something is held up still.
  bool acknowledge(Link& link, std::uint64_t reached);
  /// Stalls are counted in ticks, not in time: between two ticks lies at least one turn that
  /// flushes, so no link is cut because this process was blocked.
  void cutStuck();

  net::Reactor& reactor_;
  net::ConnectionTable& table_;
  const std::uint64_t& head_;
  const std::chrono::milliseconds stallMax_;
  std::vector<std::unique_ptr<Link>> links_;  // few: one for each process
  std::uint64_t lastHead_ = 0;                // when the last turn ended
  bool hasWork_ = false;                      // something is not acknowledged yet
  Timer::Id timer_ = 0;                       // while a link is stalled
  std::string scratch_;
};

}  // namespace stormo::channel
