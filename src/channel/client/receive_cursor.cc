#include "channel/client/receive_cursor.h"

#include <algorithm>

namespace stormo::channel {
namespace {

// Processes start and end. Above this number, producers without an event in an epoch are forgotten.
constexpr std::size_t kPublishersMax = 10'000;

}  // namespace

bool ReceiveCursor::begin(std::uint64_t epoch) {
  if (epoch == epoch_) return true;
  const bool isFirst = epoch_ == 0;
  if (earlier_.size() > kPublishersMax) earlier_.clear();
  for (const auto& [publisher, sequence] : latest_) {
    std::uint64_t& known = earlier_[publisher];
    known = std::max(known, sequence);
  }
  latest_.clear();
  epoch_ = epoch;
  offset_ = 0;
  return !isFirst;
}

ReceiveCursor::Verdict ReceiveCursor::take(std::uint64_t offset, std::uint64_t producerId,
                                           std::uint64_t sequence) {
  if (offset <= offset_) return Verdict::Known;
  offset_ = offset;
  if (producerId == 0) return Verdict::New;  // of a link that numbers nothing
  if (!earlier_.empty()) {
    const auto known = earlier_.find(producerId);
    if (known != earlier_.end() && sequence <= known->second) return Verdict::Duplicate;
  }
  latest_[producerId] = sequence;
  return Verdict::New;
}

}  // namespace stormo::channel
