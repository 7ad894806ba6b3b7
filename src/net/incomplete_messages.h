#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "net/connection_impl.h"

namespace stormo::net {

/// The connections that hold part of a message, how much of it, and since when. An idle connection
/// is not among them.
class IncompleteMessages {
 public:
  /// Each part of this size has to arrive within Endpoint::messageTimeout.
  static constexpr std::size_t kPartBytes = 32 << 10;

  /// What the peer holds now; zero: it is forgotten.
  void set(ConnectionImpl& connection, std::size_t heldBytes, TimePoint now);
  /// The peer has completed a message: what it holds from here on is a new one.
  void restart(ConnectionImpl& connection, TimePoint now) {
    if (connection.in.incompleteIndex != kNone)
      entries_[connection.in.incompleteIndex].restart(0, now);
  }

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t totalBytes() const { return totalBytes_; }
  /// The one that holds most for longest: the greatest product of both. There is one.
  [[nodiscard]] ConnectionImpl& worst(TimePoint now) const;
  /// Calls `visit` with each peer whose message has made too little progress. `visit` may forget
  /// peers.
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
