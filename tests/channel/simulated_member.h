#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "channel/client/client_link.h"

namespace stormo::channel {

/// A member of one group that moves between processes, as a client of stormo.v1 does: it rejoins
/// with its position, and resends what was not acknowledged.
class SimulatedMember {
 public:
  SimulatedMember(std::uint64_t session, std::string group)
      : session_(session), group_(std::move(group)) {}

  /// Called for each message of its group, once and in order. `epoch` is that of its position.
  std::function<void(std::uint64_t epoch, std::string_view text)> onMessage;
  /// Called when messages that it missed are not available.
  std::function<void()> onGap;

  /// Joins a process, which is subscribed to its group and forwards its events.
  void join(ClientLink& link);
  /// The process may end afterwards, but not before.
  void leave();
  [[nodiscard]] bool isJoined() const { return link_ != nullptr; }
  void publish(std::string text);

  /// An event of its process.
  void onEvent(const GroupMessage& message);

 private:
  struct Send {
    std::uint64_t sequence;
    std::string text;
    std::uint64_t number;  ///< ClientLink::accepted() after the send.
  };
  void transmit(Send& send);
  void forgetAcknowledged();
  void onHistoryReply(const HistoryReply& reply);

  const std::uint64_t session_;
  const std::string group_;
  ClientLink* link_ = nullptr;
  std::shared_ptr<int> joinToken_;  // replaced by each join()
  bool isMember_ = false;
  Position position_;
  std::uint64_t sequence_ = 0;
  std::deque<Send> unacknowledged_;
};

}  // namespace stormo::channel
