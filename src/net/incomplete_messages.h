#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "net/connection_impl.h"

namespace stormo::net {

/// The connections that hold part of a message, with its size and age. An idle connection is not
/// listed.
class IncompleteMessages {
 public:
  /// Each part of this size has to arrive within Endpoint::messageTimeout.
  static constexpr std::size_t kPartBytes = 32 << 10;

  /// Sets how many bytes the connection holds now. Zero removes it.
  void set(ConnectionImpl& connection, std::size_t heldBytes, TimePoint now);
  /// The connection has completed a message: what it holds from now on belongs to the next one.
  void restart(ConnectionImpl& connection, TimePoint now) {
    if (connection.in.incompleteIndex != kNone)
      entries_[connection.in.incompleteIndex].restart(0, now);
  }

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t totalBytes() const { return totalBytes_; }
  /// The connection with the greatest product of held bytes and age. There must be one.
  [[nodiscard]] ConnectionImpl& worst(TimePoint now) const;
  /// Calls `visit` with each connection whose message has made too little progress. `visit` may
  /// remove connections.
  template <typename Visit>
  void forEachLate(TimePoint now, const Visit& visit) {
    for (std::size_t i = entries_.size(); i-- > 0;) {
      if (i < entries_.size() && entries_[i].isLate(now)) visit(*entries_[i].connection);
    }
  }

  static constexpr std::uint32_t kNone = InputState::kNotIncomplete;

 private:
  struct Entry {
    ConnectionImpl* connection;
    std::size_t heldBytes;
    TimePoint begun;      // the message
    TimePoint partBegun;  // when it had `partFrom` bytes
    std::size_t partFrom;

    void restart(std::size_t from, TimePoint now) {
      begun = partBegun = now;
      partFrom = from;
    }
    [[nodiscard]] bool isLate(TimePoint now);
  };

  std::vector<Entry> entries_;
  std::size_t totalBytes_ = 0;
};

}  // namespace stormo::net
