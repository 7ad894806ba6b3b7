#pragma once

#include <cstddef>
#include <cstdint>

#include "base/keyed_hash.h"
#include "channel/log/state_stream.h"

namespace stormo::channel {

/// The latest number of each sender (a producer, or a client's session), to recognise what was sent
/// before. A sender is forgotten one hour after its latest number, and earlier while more than
/// `sendersMax` have sent in that hour. Times are those of records, in milliseconds.
class DedupTable {
 public:
  explicit DedupTable(std::size_t sendersMax) : sendersMax_(sendersMax) {}

  /// Returns true, and stores the number, if it is greater than all before. `offset` is that of the
  /// record.
  [[nodiscard]] bool take(std::uint64_t sender, std::uint64_t number, std::uint64_t time,
                          std::uint64_t offset);
  /// The offset of the record with that number; 0 if it is not the latest one of the sender.
  [[nodiscard]] std::uint64_t offsetOf(std::uint64_t sender, std::uint64_t number) const;

  void save(StateWriter& out) const;
  /// Only on an empty table.
  void restore(StateReader& in);

 private:
  struct Latest {
    std::uint64_t number = 0;
    std::uint64_t offset = 0;
  };
  using Numbers = KeyedMap<std::uint64_t, Latest>;  // by sender

  Latest& latestOf(std::uint64_t sender);

  std::size_t sendersMax_;
  // Numbers are stored in the young table. When it is an hour old or full, it replaces the old
  // table, and a new young table starts.
  Numbers young_;
  Numbers old_;
  std::uint64_t youngSince_ = 0;
  // The sender of the last call, as most publishes come in rows of one sender.
  std::uint64_t lastSender_ = 0;
  Latest* last_ = nullptr;
};

}  // namespace stormo::channel
