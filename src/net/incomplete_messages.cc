#include "net/incomplete_messages.h"

#include <algorithm>

namespace stormo::net {

void IncompleteMessages::set(ConnectionImpl& connection, std::size_t heldBytes, TimePoint now) {
  if (connection.in.incompleteIndex == kNone) {
    if (heldBytes == 0) return;
    connection.in.incompleteIndex = static_cast<std::uint32_t>(entries_.size());
    entries_.push_back({&connection, 0, now, now, 0});
  }
  Entry& entry = entries_[connection.in.incompleteIndex];
  totalBytes_ += heldBytes - entry.heldBytes;
  entry.heldBytes = heldBytes;
  if (heldBytes > 0) return;
  entries_.back().connection->in.incompleteIndex = connection.in.incompleteIndex;
  entry = entries_.back();
  entries_.pop_back();
  connection.in.incompleteIndex = kNone;
}

ConnectionImpl& IncompleteMessages::worst(TimePoint now) const {
  const auto weight = [now](const Entry& entry) {
    // Entries of this very moment differ by their bytes.
    const std::chrono::duration<double> age = now - entry.begun + std::chrono::milliseconds(1);
    return static_cast<double>(entry.heldBytes) * age.count();
  };
  return *std::ranges::max_element(entries_, {}, weight)->connection;
}

bool IncompleteMessages::Entry::isLate(TimePoint now) {
  // While it is not read, the rest of the message may have arrived already.
  const CodecState* const state = connection->codecState.get();
  const bool awaitsProgram = state != nullptr && state->awaitsProgram();
  if (connection->in.isHeld() || connection->in.inBacklog || awaitsProgram) {
    restart(heldBytes, now);
    return false;
  }
  if (heldBytes >= partFrom + kPartBytes) {
    partBegun = now;
    partFrom = heldBytes;
  }
  const auto timeout = connection->endpoint->messageTimeout;
  const bool isLate =
      connection->phase == Phase::Open && timeout > timeout.zero() && now - partBegun >= timeout;
  if (!isLate || !connection->hasUnreadInput()) return isLate;
  restart(heldBytes, now);
  return false;
}

}  // namespace stormo::net
