#include "net/deadline_wheel.h"

#include <algorithm>
#include <bit>

namespace stormo::net {

void DeadlineWheel::set(std::uint32_t index, TimePoint deadline, TimePoint now) {
  if (index >= links_.size()) links_.resize(index + 1);
  clear(index);
  // The horizon is counted from now, or from the oldest deadline that has not expired yet.
  current_ = std::max(current_, std::min(tickOf(now), nextTick().value_or(tickOf(now))));
  const std::int64_t last = current_ + static_cast<std::int64_t>(kBuckets) - 1;
  // A deadline that has passed already is due in the next expire(), not in one that is running.
  const std::int64_t tick = std::clamp(std::max(tickOf(deadline), tickOf(now)), current_, last);
  const std::size_t bucket = bucketOf(tick);
  Link& link = links_[index];
  link.bucket = static_cast<std::uint16_t>(bucket);
  link.previous = kNone;
  link.next = heads_[bucket];
  if (link.next != kNone) links_[link.next].previous = index;
  heads_[bucket] = index;
  occupied_[bucket / 64] |= std::uint64_t{1} << (bucket % 64);
  ++count_;
}

void DeadlineWheel::clear(std::uint32_t index) {
  if (index >= links_.size() || links_[index].bucket == kUnset) return;
  Link& link = links_[index];
  const std::size_t bucket = link.bucket;
  if (link.previous != kNone) {
    links_[link.previous].next = link.next;
  } else {
    heads_[bucket] = link.next;
  }
  if (link.next != kNone) links_[link.next].previous = link.previous;
  link.bucket = kUnset;
  if (heads_[bucket] == kNone) occupied_[bucket / 64] &= ~(std::uint64_t{1} << (bucket % 64));
  --count_;
}

std::optional<std::int64_t> DeadlineWheel::nextTick() const {
  if (count_ == 0) return std::nullopt;
  const std::size_t start = bucketOf(current_);
  for (std::size_t i = 0; i <= occupied_.size(); ++i) {
    const std::size_t wordIndex = (start / 64 + i) % occupied_.size();
    std::uint64_t bits = occupied_[wordIndex];
    if (i == 0) bits &= ~std::uint64_t{0} << (start % 64);
    if (bits == 0) continue;
    const std::size_t bucket = wordIndex * 64 + static_cast<std::size_t>(std::countr_zero(bits));
    return current_ + static_cast<std::int64_t>((bucket + kBuckets - start) % kBuckets);
  }
  return std::nullopt;
}

std::optional<TimePoint> DeadlineWheel::next() const {
  const auto tick = nextTick();
  if (!tick) return std::nullopt;
  return start_ + (*tick + 1) * kTick;
}

}  // namespace stormo::net
