#include "net/output_queue.h"

#include "base/assert.h"

namespace stormo::net {

void OutputQueue::push(const SharedBuffer& buffer, std::size_t begin, std::size_t length) {
  if (length == 0) return;
  segments_.push_back({buffer, begin, length});
  bytes_ += length;
}

std::size_t OutputQueue::describe(iovec* vectors, std::size_t vectorsMax) const {
  std::size_t count = 0;
  for (std::size_t i = front_; i < segments_.size() && count < vectorsMax; ++i) {
    const Segment& segment = segments_[i];
    vectors[count++] = {const_cast<char*>(segment.buffer.data()) + segment.begin, segment.length};
  }
  return count;
}

void OutputQueue::consume(std::size_t taken) {
  STORMO_ASSERT(taken <= bytes_);
  bytes_ -= taken;
  while (taken > 0) {
    Segment& segment = segments_[front_];
    if (taken < segment.length) {
      segment.begin += taken;
      segment.length -= taken;
      break;
    }
    taken -= segment.length;
    segment.buffer.reset();
    ++front_;
  }
  // Spent segments go in one sweep when they are the larger half: each is moved at most once.
  if (front_ * 2 >= segments_.size()) {
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(front_));
    front_ = 0;
  }
}

void OutputQueue::clear() {
  segments_.clear();
  front_ = 0;
  bytes_ = 0;
}

}  // namespace stormo::net
