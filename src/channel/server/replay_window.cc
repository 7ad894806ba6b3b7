#include "channel/server/replay_window.h"

#include <algorithm>
#include <utility>

namespace stormo::channel {
namespace {

constexpr std::size_t kChunkBytes = 256 << 10;

}  // namespace

char* ReplayWindow::append(std::uint64_t offset, std::size_t bytes, std::uint64_t time) {
  forget(time);
  if (chunks_.empty() || chunks_.back().bytes.capacity() - chunks_.back().bytes.size() < bytes) {
    makeChunk(bytes);
  }
  Chunk& chunk = chunks_.back();
  chunk.lastOffset = offset;
  chunk.lastTime = time;
  chunk.bytes.resize(chunk.bytes.size() + bytes);
  return chunk.bytes.data() + chunk.bytes.size() - bytes;
}

void ReplayWindow::makeChunk(std::size_t bytes) {
  Chunk& chunk = chunks_.emplace_back(std::exchange(spare_, {}));
  chunk.bytes.clear();
  chunk.bytes.reserve(std::max(bytes, kChunkBytes));
  bytes_ += chunk.bytes.capacity();
}

void ReplayWindow::clear(std::uint64_t offset) {
  chunks_.clear();
  bytes_ = 0;
  forgotten_ = offset;
}

void ReplayWindow::save(StateWriter& out) const {
  out.number(forgotten_);
  out.number(chunks_.size());
  for (const Chunk& chunk : chunks_) {
    out.number(chunk.lastOffset);
    out.number(chunk.lastTime);
    out.bytes(chunk.bytes);
  }
}

void ReplayWindow::restore(StateReader& in) {
  forgotten_ = in.number();
  for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left) {
    Chunk& chunk = chunks_.emplace_back();
    chunk.lastOffset = in.number();
    chunk.lastTime = in.number();
    chunk.bytes = in.bytes();
    bytes_ += chunk.bytes.capacity();
  }
}

void ReplayWindow::forget(std::uint64_t now) {
  const auto isOld = [&](const Chunk& chunk) { return now > chunk.lastTime + ageMax_; };
  while (!chunks_.empty() && (bytes_ > bytesMax_ || isOld(chunks_.front()))) {
    forgotten_ = chunks_.front().lastOffset;
    bytes_ -= chunks_.front().bytes.capacity();
    spare_ = std::move(chunks_.front());
    chunks_.erase(chunks_.begin());
  }
}

}  // namespace stormo::channel
