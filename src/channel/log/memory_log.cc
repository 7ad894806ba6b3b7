#include "channel/log/memory_log.h"

#include "sys/random_id.h"

namespace stormo::channel {

Result<void> MemoryLog::open(LogState& state, std::function<void()> onOpened) {
  state_ = &state;
  state_->begin(randomId());
  onOpened();
  return {};
}

void MemoryLog::append(std::string_view records, std::uint64_t count) {
  const std::uint64_t first = offset_ + 1;
  offset_ += count;
  state_->apply(first, records, node());
}

}  // namespace stormo::channel
