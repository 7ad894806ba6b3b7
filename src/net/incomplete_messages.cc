#include "net/incomplete_messages.h"

#include <algorithm>

namespace stormo::net {

void IncompleteMessages::set(ConnectionImpl& peer, std::size_t heldBytes, TimePoint now) {
  if (peer.incompleteIndex == kNone) {
    if (heldBytes == 0) return;
    peer.incompleteIndex = static_cast<std::uint32_t>(entries_.size());
    entries_.push_back({&peer, 0, now, now, 0});
  }
  Entry& entry = entries_[peer.incompleteIndex];
  totalBytes_ += heldBytes - entry.heldBytes;
  entry.heldBytes = heldBytes;
  if (heldBytes > 0) return;
  entries_.back().peer->incompleteIndex = peer.incompleteIndex;
  entry = entries_.back();
  entries_.pop_back();
  peer.incompleteIndex = kNone;
}

ConnectionImpl& IncompleteMessages::worst(TimePoint now) const {
  const auto weight = [now](const Entry& entry) {
    // Those of this very moment differ by what they hold.
    const std::chrono::duration<double> age = now - entry.begun + std::chrono::milliseconds(1);
    return static_cast<double>(entry.heldBytes) * age.count();
  };
  return *std::ranges::max_element(entries_, {}, weight)->peer;
}

bool IncompleteMessages::Entry::isLate(TimePoint now) {
  // Of who is not read the rest may be there already.
  if (peer->receivePaused || peer->inBacklog) {
    restart(heldBytes, now);
    return false;
  }
  if (heldBytes >= partFrom + kPartBytes) {
    partBegun = now;
    partFrom = heldBytes;
  }
  const auto timeout = peer->endpoint->messageTimeout;
  const bool isLate =
      peer->phase == Phase::Open && timeout > timeout.zero() && now - partBegun >= timeout;
  if (!isLate || !peer->hasUnreadInput()) return isLate;
  restart(heldBytes, now);
  return false;
}

}  // namespace stormo::net
