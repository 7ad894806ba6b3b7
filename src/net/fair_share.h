#pragma once

#include <cstdint>
#include <vector>

#include "base/counters.h"

namespace stormo::net {

/// Compares the number of connections of this process with those of its siblings, which accept
/// clients from the same socket.
class FairShare {
 public:
  /// The counters of the other processes, in shared memory that outlives this.
  explicit FairShare(const std::vector<const Counters*>& siblings);

  [[nodiscard]] bool hasSiblings() const { return !siblings_.empty(); }
  /// True if a sibling that accepts has clearly fewer connections than this process, whose counters
  /// are `own`.
  [[nodiscard]] bool isAhead(const Counters& own) const;

  /// From now on the process leaves the next client to its siblings.
  void beginLeaving();
  /// No sibling has accepted that client. A sibling that has made no turn during many of these
  /// calls is hung or dead: it is ignored until it makes one.
  void noteNotAccepted();

 private:
  struct Sibling {
    const Counters* counters;
    std::uint64_t turns = 0;  // at the last beginLeaving()
    int missed = 0;           // clients that it did not accept since that turn

    [[nodiscard]] bool hasMadeTurn() const { return counters->turns.get() != turns; }
    [[nodiscard]] bool isHung() const;
  };

  std::vector<Sibling> siblings_;
};

}  // namespace stormo::net
