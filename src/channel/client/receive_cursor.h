#pragma once

#include <cstdint>

#include "base/keyed_hash.h"

namespace stormo::channel {

/// The events that a subscriber has received: recognises duplicates, and states where the next link
/// resumes.
///
/// Within an epoch events arrive in the order of their offsets, over all links. When a server was
/// killed, producers resend what was not acknowledged, and the next server gives it new offsets.
/// Each link delivers its events without a hole, so all events of a producer up to its last
/// received sequence were received, and none after it.
class ReceiveCursor {
 public:
  /// A server of that epoch has accepted a link. Returns true if there was a link before: then the
  /// events after offset() are missing. In a new epoch the offset is 0: other producers may have
  /// resent messages that this process has not received.
  bool begin(std::uint64_t epoch);

  enum class Verdict {
    New,
    Known,      ///< It was received on an earlier link.
    Duplicate,  ///< It was received in an earlier epoch; only its offset is new.
  };
  [[nodiscard]] Verdict take(std::uint64_t offset, std::uint64_t producerId,
                             std::uint64_t sequence);

  /// No event up to that offset will arrive any more.
  void skipTo(std::uint64_t offset) {
    if (offset > offset_) offset_ = offset;
  }

  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

 private:
  using Sequences = KeyedMap<std::uint64_t, std::uint64_t>;  // by publisher

  std::uint64_t epoch_ = 0;  // none yet
  std::uint64_t offset_ = 0;
  Sequences latest_;   // of this epoch
  Sequences earlier_;  // of all before
};

}  // namespace stormo::channel
