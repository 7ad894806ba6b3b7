#pragma once

#include <stormo/message.h>
#include <stormo/timer.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/handle_table.h"
#include "base/keyed_hash.h"
#include "sys/clock.h"

namespace stormo::net {
struct ConnectionImpl;
}

namespace stormo::group {

struct Group;

/// Passes on at most one message of a group within an interval: the first at once, then the newest
/// when the interval ends. Members that join meanwhile do not get what came before.
class Conflation {
 public:
  /// True if a message may be sent now, which begins an interval. False: keep() it.
  [[nodiscard]] bool mayPass(TimePoint now, std::chrono::milliseconds every);
  /// Copies the message, which replaces the one that waits. Returns the number of members that miss
  /// that one.
  std::uint64_t keep(Message message, std::uint64_t receivers,
                     std::span<net::ConnectionImpl* const> except);
  [[nodiscard]] TimePoint dueAt() const { return dueAt_; }
  /// Sends what waits, if it is due, behind a notice of how many it replaced.
  void send(Group& group, TimePoint now);
  void onJoin(Handle member) {
    if (isWaiting_) joined_[member.packed()] = replaced_ + 1;
  }
  void onLeave(Handle member) { joined_.erase(member.packed()); }

 private:
  TimePoint dueAt_{};
  std::chrono::milliseconds every_{0};
  bool isWaiting_ = false;
  std::string message_;
  MessageType type_ = MessageType::Text;
  std::uint64_t receivers_ = 0;
  std::vector<Handle> except_;
  std::uint64_t replaced_ = 0;  // since the last one that was sent
  /// Members that have joined since, and how many messages of this interval came before.
  KeyedMap<std::uint64_t, std::uint64_t> joined_;
};

/// Calls `onDue` with the names of groups when their time has come: one timer for all of them, on
/// the loop of the thread that calls await().
class ConflationTimer {
 public:
  explicit ConflationTimer(std::function<void(std::string_view name)> onDue)
      : onDue_(std::move(onDue)) {}
  ~ConflationTimer();
  ConflationTimer(const ConflationTimer&) = delete;
  ConflationTimer& operator=(const ConflationTimer&) = delete;

  /// A second call for a name with the same time has no effect.
  void await(std::string_view name, TimePoint dueAt);

 private:
  void arm();
  void fire();

  const std::function<void(std::string_view name)> onDue_;
  std::weak_ptr<const void> lifetime_;  // of the loop of timer_
  std::set<std::pair<TimePoint, std::string>> due_;
  Timer::Id timer_ = 0;
  TimePoint firesAt_{};
};

}  // namespace stormo::group
