#include "channel/log/memory_log.h"

#include "channel/log/record.h"
#include "sys/random_id.h"

namespace stormo::channel {

Result<void> MemoryLog::open(LogState& state) {
  state_ = &state;
  state_->begin(randomId());
  return {};
}

void MemoryLog::append(std::string_view records) {
  const std::uint64_t first = offset_ + 1;
  offset_ += countRecords(records);
  state_->apply(first, records);
}

}  // namespace stormo::channel
