#pragma once

#include <stormo/timer.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "net/reactor.h"

namespace stormo::channel {

/// What a SlowLinks needs to send missed events.
class ReplaySource {
 public:
  /// Appends the events after `offset` of all that the link is subscribed to, until about
  /// `bytesMax` bytes. Returns the offset up to which it has all, after a gap if some are no longer
  /// there, or if `offset` is after the latest event.
  virtual std::uint64_t replay(net::ConnectionImpl& link, std::uint64_t offset,
                               std::size_t bytesMax) = 0;
  /// Offset of the latest event.
  [[nodiscard]] virtual std::uint64_t head() const = 0;

 protected:
  ~ReplaySource() = default;
};

/// Links that read more slowly than events come, or have missed some. Such a link costs nobody else
/// anything: while it lags it gets no new events but, as fast as it reads, those that it has
/// missed, from the replay window. So its output queue stays below a limit.
///
/// If several nodes share the log, a link may come from one that was ahead of this one, and name an
/// offset that comes here later. It is waited for, at most kAheadMax.
///
/// A link that takes nothing for `stallMax`, and one that requests without reading, is closed. A
/// link takes output when this kernel accepts more of it, or holds less: a slow reader may need
/// longer than `stallMax` until the kernel's full send buffer accepts more.
class SlowLinks {
 public:
  static constexpr std::chrono::milliseconds kAheadMax{5000};

  /// `source` outlives this.
  SlowLinks(net::Reactor& reactor, ReplaySource& source, std::size_t queueBytesMax,
            std::chrono::milliseconds stallMax);
  ~SlowLinks();
  SlowLinks(const SlowLinks&) = delete;
  SlowLinks& operator=(const SlowLinks&) = delete;

  void add(net::ConnectionImpl& link);
  void remove(const net::ConnectionImpl& link);
  /// The link lags: it has the events up to `offset` of its subscriptions. An offset after the
  /// latest event is waited for.
  void resume(net::ConnectionImpl& link, std::uint64_t offset);
  /// Calls `work`, which sends to the link: at once, or when the link has caught up and its queue
  /// has room. In the order of the calls. False if too many wait.
  [[nodiscard]] bool whenCaughtUp(net::ConnectionImpl& link, std::function<void()> work);
  /// The output of a turn was flushed.
  void onFlushed();
  /// True if the link gets all events at once.
  [[nodiscard]] static bool isLive(const net::ConnectionImpl& link) {
    return !link.out.skipsFanout;
  }

 private:
  /// How much of its output a link has taken. Any change is progress.
  struct Taken {
    std::uint64_t bytesWritten = 0;     ///< Accepted by this kernel.
    std::size_t kernelOutputBytes = 0;  ///< Of these, still held by it.
    bool operator==(const Taken&) const = default;
  };
  struct Link {
    explicit Link(net::ConnectionImpl& of) : connection(&of) {}

    net::ConnectionImpl* connection;
    std::uint64_t offset = 0;       ///< While it lags: it has the events up to this one.
    TimePoint aheadUntil{};         ///< While it lags: an offset is waited for until then.
    std::uint64_t queuedBytes = 0;  ///< While it lags: its queue when it began to.
    Taken taken;                    ///< At the last tick.
    int idleTicks = 0;              ///< Ticks without progress, in a row.
    std::vector<std::function<void()>> work{};
  };

  void lag(Link& link, std::uint64_t offset);
  /// Returns true if it has appended output.
  bool serve(Link& link);
  void runWork(Link& link);
  /// True if that offset has not come, and is waited for. Then there is a turn at `until`.
  [[nodiscard]] bool awaits(std::uint64_t offset, TimePoint until);
  [[nodiscard]] static Taken takenBy(const net::ConnectionImpl& link);
  /// Closes links without progress. Silence is counted in ticks, not in time: between two ticks
  /// there is at least one turn that flushes, so no link is closed because this process was
  /// blocked.
  void onTick();
  void cut(Link& link);
  [[nodiscard]] Link& of(const net::ConnectionImpl& connection);
  [[nodiscard]] bool hasRoom(const Link& link) const {
    return link.connection->queuedBytes() <= queueBytesMax_ / 2;
  }

  net::Reactor& reactor_;
  ReplaySource& source_;
  const std::size_t queueBytesMax_;
  const std::chrono::milliseconds stallMax_;
  std::vector<std::unique_ptr<Link>> links_;  // few: one for each process
  Timer::Id tick_ = 0;                        // runs while a link has a queue
  Timer::Id wake_ = 0;                        // while an offset is waited for
};

}  // namespace stormo::channel
