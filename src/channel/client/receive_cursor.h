#pragma once

#include <cstdint>

namespace stormo::channel {

/// The events that a subscriber has received: recognises what comes twice, and states where the
/// next link resumes. Within an epoch events arrive in the order of their offsets, over all links.
class ReceiveCursor {
 public:
  /// A server of that epoch has accepted a link. False if there was a link before, of another
  /// epoch: what was sent meanwhile is lost.
  bool begin(std::uint64_t epoch) {
    if (epoch == epoch_) return true;
    const bool isFirst = epoch_ == 0;
    *this = {};
    epoch_ = epoch;
    return isFirst;
  }

  /// True if this event was not received before. One offset may have two events, of which the
  /// second one is `derived`.
  [[nodiscard]] bool take(std::uint64_t offset, bool derived) {
    const bool isNew = offset > offset_ || (offset == offset_ && derived && !hasDerived_);
    if (isNew) offset_ = offset;
    if (isNew) hasDerived_ = derived;
    return isNew;
  }

  /// No event up to that offset will arrive any more.
  void skipTo(std::uint64_t offset) {
    if (offset >= offset_) moveTo(offset);
  }
  /// The server goes on after that offset, wherever this was.
  void moveTo(std::uint64_t offset) {
    offset_ = offset;
    hasDerived_ = true;
  }

  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

 private:
  std::uint64_t epoch_ = 0;  // none yet
  std::uint64_t offset_ = 0;
  bool hasDerived_ = false;  // the second event of offset_
};

}  // namespace stormo::channel
