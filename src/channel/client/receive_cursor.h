#pragma once

#include <cstdint>

#include "base/keyed_hash.h"

namespace stormo::channel {

/// What a subscriber has had of the Channel: so that nothing is taken twice, and the next link can
/// go on where the last one ended.
///
/// Within one life of the server (an epoch) events come in the order of their offsets, over all
/// links. When a server has died, publishers say again what was not acknowledged, and the next one
/// gives it new offsets. Each link has brought an unbroken beginning of what it was to bring: so of
/// each publisher, all up to the last sequence that came is known, and nothing behind it.
class ReceiveCursor {
 public:
  /// A server of that epoch has welcomed a link. True if there was a link before: then what came
  /// after offset() is missing. Of a new server that is all that it has: others may have said again
  /// there what this one has not heard.
  bool begin(std::uint64_t epoch);

  enum class Verdict {
    New,
    Known,   ///< It came on an earlier link.
    Repeat,  ///< It came in an earlier epoch; this offset of it is new.
  };
  [[nodiscard]] Verdict take(std::uint64_t offset, std::uint64_t producerId,
                             std::uint64_t sequence);

  /// No event up to that one will come any more.
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
