#include "net/output_queue.h"

#include <algorithm>

#include "base/assert.h"

namespace stormo::net {
namespace {

// Up to this length a copy costs less than a reference.
constexpr std::size_t kCopiedBytesMax = 512;
// How many segments a cleared queue keeps room for.
constexpr std::size_t kKeptSegmentsMax = 64;
// Own buffers are filled up to here: the front one is freed only when all of it has left.
constexpr std::size_t kOwnBytesMax = 64 << 10;

}  // namespace

void OutputQueue::push(const SharedBuffer& buffer, std::size_t begin, std::size_t length) {
  if (length == 0) return;
  bytes_ += length;
  if (length <= kCopiedBytesMax || length * kHeldPerByte < buffer.capacity()) {
    return copy(buffer.view().substr(begin, length));
  }
  segments_.push_back({buffer, begin, length});
  ownsLast_ = false;
}

void OutputQueue::push(std::string_view bytes) {
  if (bytes.empty()) return;
  bytes_ += bytes.size();
  copy(bytes);
}

void OutputQueue::copy(std::string_view bytes) {
  if (!ownsLast_ || segments_.back().buffer.size() + bytes.size() > kOwnBytesMax) {
    segments_.push_back({{}, 0, 0});
    ownsLast_ = true;
  }
  Segment& last = segments_.back();
  bytes.copy(last.buffer.extend(bytes.size()), bytes.size());
  last.length += bytes.size();
}

std::size_t OutputQueue::describe(iovec* vectors, std::size_t vectorsMax,
                                  std::size_t bytesMax) const {
  std::size_t count = 0;
  for (std::size_t i = front_; i < segments_.size() && count < vectorsMax && bytesMax > 0; ++i) {
    const Segment& segment = segments_[i];
    const std::size_t length = std::min(segment.length, bytesMax);
    vectors[count++] = {const_cast<char*>(segment.buffer.data()) + segment.begin, length};
    bytesMax -= length;
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
  // Spent segments are erased together once they are the larger half: each is moved at most once.
  if (front_ * 2 >= segments_.size()) {
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(front_));
    front_ = 0;
    if (segments_.empty()) ownsLast_ = false;
  }
}

void OutputQueue::clear() {
  segments_.clear();
  if (segments_.capacity() > kKeptSegmentsMax) segments_.shrink_to_fit();
  front_ = 0;
  bytes_ = 0;
  ownsLast_ = false;
  held_.reset();
}

}  // namespace stormo::net
