#include "channel/server/event_log.h"

#include <algorithm>
#include <utility>

namespace stormo::channel {
namespace {

constexpr std::size_t kChunkBytes = 256 << 10;

}  // namespace

char* EventLog::append(std::uint64_t offset, std::size_t bytes, TimePoint now) {
  forget(now);
  if (chunks_.empty() || chunks_.back().bytes.capacity() - chunks_.back().bytes.size() < bytes) {
    makeChunk(bytes);
  }
  Chunk& chunk = chunks_.back();
  chunk.lastOffset = offset;
  chunk.lastTime = now;
  chunk.bytes.resize(chunk.bytes.size() + bytes);
  return chunk.bytes.data() + chunk.bytes.size() - bytes;
}

void EventLog::makeChunk(std::size_t bytes) {
  Chunk& chunk = chunks_.emplace_back(std::exchange(spare_, {}));
  chunk.bytes.clear();
  chunk.bytes.reserve(std::max(bytes, kChunkBytes));
  bytes_ += chunk.bytes.capacity();
}

void EventLog::save(StateWriter& state) const {
  state.number(forgotten_);
  state.number(chunks_.size());
  for (const Chunk& chunk : chunks_) {
    state.number(chunk.lastOffset);
    state.time(chunk.lastTime);
    state.bytes(chunk.bytes);
  }
}

void EventLog::load(StateReader& state, TimePoint now) {
  forgotten_ = state.number();
  for (std::uint64_t left = state.number(); left > 0 && state.ok(); --left) {
    Chunk& chunk = chunks_.emplace_back();
    chunk.lastOffset = state.number();
    chunk.lastTime = state.time();
    chunk.bytes = state.bytes();
    bytes_ += chunk.bytes.capacity();
  }
  forget(now);
}

void EventLog::forget(TimePoint now) {
  while (!chunks_.empty() && (bytes_ > bytesMax_ || now - chunks_.front().lastTime > ageMax_)) {
    forgotten_ = chunks_.front().lastOffset;
    bytes_ -= chunks_.front().bytes.capacity();
    spare_ = std::move(chunks_.front());
    chunks_.erase(chunks_.begin());
  }
}

}  // namespace stormo::channel
