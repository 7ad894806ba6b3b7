#include "channel/server/replay_window.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace stormo::channel {
namespace {

// A chunk is as large as all before it, within these limits.
constexpr std::size_t kChunkBytesMin = 16 << 10;
constexpr std::size_t kChunkBytesMax = 256 << 10;
// Above it the oldest events are removed. Resends, which are skipped, come in runs.
constexpr std::size_t kSkippedRunsMax = 100'000;
constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();

}  // namespace

char* ReplayWindow::append(std::uint64_t offset, std::size_t bytes, std::uint64_t time) {
  forget(time);
  if (chunks_.empty() || chunks_.back().memory.bytes() - chunks_.back().used < bytes) {
    makeChunk(bytes, offset);
  }
  Chunk& chunk = chunks_.back();
  chunk.lastOffset = offset;
  chunk.lastTime = time;
  chunk.used += bytes;
  return chunk.memory.data() + chunk.used - bytes;
}

void ReplayWindow::makeChunk(std::size_t bytes, std::uint64_t offset) {
  const std::size_t usual = std::clamp(bytes_, kChunkBytesMin, kChunkBytesMax);
  if (spare_.bytes() < bytes) spare_ = UnforkedMemory(std::max(bytes, usual));
  if (chunks_.empty()) chunks_.reserve(bytesMax_ / kChunkBytesMax + 8);
  Chunk& chunk = chunks_.emplace_back();
  chunk.memory = std::exchange(spare_, {});
  chunk.firstOffset = offset;
  bytes_ += chunk.memory.bytes();
}

void ReplayWindow::skip(std::uint64_t offset) {
  if (chunks_.empty()) return;
  if (!skipped_.empty() && skipped_.back().last + 1 == offset) {
    skipped_.back().last = offset;
    return;
  }
  while (skipped_.size() >= kSkippedRunsMax) removeFirstChunk();
  if (!chunks_.empty()) skipped_.push_back({offset, offset});
}

bool ReplayWindow::isSkipped(std::uint64_t offset) const {
  if (offset < recalledFrom_) return true;  // it was forgotten, and the log still has it
  const auto run = std::ranges::lower_bound(skipped_, offset, {}, &Run::last);
  return run != skipped_.end() && run->first <= offset;
}

void ReplayWindow::forget(std::uint64_t now) {
  const auto isOld = [&](const Chunk& chunk) { return now > chunk.lastTime + ageMax_; };
  while (!chunks_.empty() && (bytes_ > bytesMax_ || isOld(chunks_.front()))) removeFirstChunk();
}

void ReplayWindow::removeFirstChunk() {
  Chunk& first = chunks_.front();
  forgotten_ = first.lastOffset;
  bytes_ -= first.memory.bytes();
  spare_ = std::move(first.memory);
  chunks_.erase(chunks_.begin());
  while (!skipped_.empty() && skipped_.front().last < firstOffset()) skipped_.pop_front();
}

void ReplayWindow::clear(std::uint64_t offset) {
  chunks_.clear();
  skipped_.clear();
  bytes_ = 0;
  forgotten_ = offset;
}

std::uint64_t ReplayWindow::firstOffset() const {
  if (!chunks_.empty()) return chunks_.front().firstOffset;
  return restored_ ? restored_->firstOffset : kNone;
}

// In a forked child: it does not have the events.
void ReplayWindow::save(StateWriter& out) const {
  out.number(forgotten_);
  out.number(firstOffset());
  out.number(skipped_.size());
  for (const Run& run : skipped_) {
    out.number(run.first);
    out.number(run.last);
  }
}

void ReplayWindow::restore(StateReader& in, std::uint64_t offset) {
  const std::uint64_t forgotten = in.number();
  restored_ = {.forgotten = forgotten, .firstOffset = in.number()};
  forgotten_ = restored_->firstOffset == kNone ? forgotten : offset;
  for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left) {
    const std::uint64_t first = in.number();
    skipped_.push_back({first, in.number()});
  }
}

void ReplayWindow::recall(std::uint64_t first) {
  if (!restored_) return;
  const Restored restored = *std::exchange(restored_, {});
  forgotten_ = first <= restored.firstOffset ? restored.forgotten : first - 1;
  recalledFrom_ = restored.firstOffset;
}

}  // namespace stormo::channel
