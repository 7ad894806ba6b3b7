#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "channel/client/bus.h"

namespace stormo::channel {

/// A member of one group that moves between processes, as a client of stormo.v1 does: it comes back
/// with its position, and says again what it does not know to have arrived.
class SimulatedVisitor {
 public:
  SimulatedVisitor(std::uint64_t session, std::string group)
      : session_(session), group_(std::move(group)) {}

  /// A message of its group, once and in order.
  std::function<void(std::string_view text)> onHeard;
  /// What was said while it was away is not to be had.
  std::function<void()> onGap;

  /// Comes to a process, which is subscribed to its group and tells it what comes.
  void come(Bus& bus);
  /// That process may be dead afterwards, but not before.
  void leave();
  [[nodiscard]] bool isHere() const { return bus_ != nullptr; }
  /// It has left without knowing whether all that it said has arrived, and does not know it yet.
  [[nodiscard]] bool isInDoubt();
  void publish(std::string text);

  // Of the process where it is:
  void onMessage(const GroupMessage& said);
  void onConnect();
  void onRepeat(std::string_view group);

 private:
  struct Said {
    std::uint64_t sequence;
    std::string text;
    std::uint64_t number;  ///< As the bus counts.
    bool isInDoubt = false;
  };
  void say(Said& said);
  void forgetAcknowledged();
  void onHistoryReply(const HistoryReply& reply);

  const std::uint64_t session_;
  const std::string group_;
  Bus* bus_ = nullptr;
  std::shared_ptr<int> stay_;  // another one each time it comes
  bool isMember_ = false;
  Position position_;
  std::uint64_t sequence_ = 0;
  std::deque<Said> said_;  // and not acknowledged, as far as it knows
};

}  // namespace stormo::channel
