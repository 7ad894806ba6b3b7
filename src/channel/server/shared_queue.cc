#include "channel/server/shared_queue.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace stormo::channel {

char* SharedQueue::extend(std::size_t bytes, SharedPool& pool) {
  if (block_.bytes - end_ < bytes) {
    const std::string_view kept = all();
    // A byte is moved twice on average: into a block with room for half as many, or, if at least as
    // many were removed as are moved, to the front.
    const bool fits = kept.size() + bytes <= block_.bytes && begin_ >= kept.size();
    if (fits && !pool.isHeld()) {
      std::memmove(block_.begin, kept.data(), kept.size());
    } else {
      const auto block = pool.take(std::max(kept.size() + bytes, kept.size() * 3 / 2));
      if (!kept.empty()) std::memcpy(block.begin, kept.data(), kept.size());
      pool.give(std::exchange(block_, block));
    }
    end_ = kept.size();
    begin_ = 0;
  }
  end_ += bytes;
  return block_.begin + end_ - bytes;
}

void SharedQueue::clear(SharedPool& pool) {
  pool.give(std::exchange(block_, {}));
  begin_ = end_ = 0;
}

}  // namespace stormo::channel
