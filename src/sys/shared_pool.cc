#include "sys/shared_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

namespace stormo {
namespace {

constexpr std::size_t kRegionBytes = 1 << 30;
// A chunk is as large as all before it in the region, within these limits. A larger block is a
// chunk of its own.
constexpr std::size_t kChunkBytesMin = 16 << 10;
constexpr std::size_t kChunkBytesMax = 1 << 20;

}  // namespace

SharedPool::~SharedPool() {
  for (const Block& region : regions_) ::munmap(region.begin, region.bytes);
}

SharedPool::Class& SharedPool::classOf(std::size_t blockBytes) {
  return classes_[static_cast<std::size_t>(std::countr_zero(blockBytes)) - kBlockBitsMin];
}

SharedPool::Block SharedPool::take(std::size_t bytes) {
  bytes = std::bit_ceil(std::max(bytes, std::size_t{1} << kBlockBitsMin));
  Class& blocks = classOf(bytes);
  if (!blocks.free.empty()) {
    char* const begin = blocks.free.back();
    blocks.free.pop_back();
    return {begin, bytes};
  }
  if (blocks.next == blocks.end) {
    const std::size_t chunkBytes =
        std::max(bytes, std::bit_floor(std::clamp(used_, kChunkBytesMin, kChunkBytesMax)));
    blocks.next = takeChunk(chunkBytes);
    blocks.end = blocks.next + chunkBytes;
  }
  return {std::exchange(blocks.next, blocks.next + bytes), bytes};
}

char* SharedPool::takeChunk(std::size_t bytes) {
  if (regions_.empty() || regions_.back().bytes - used_ < bytes) {
    const std::size_t regionBytes = std::max(bytes, kRegionBytes);
    void* const begin = ::mmap(nullptr, regionBytes, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (begin == MAP_FAILED) throw std::bad_alloc();
    regions_.push_back({static_cast<char*>(begin), regionBytes});
    used_ = 0;
  }
  char* const chunk = regions_.back().begin + used_;
  used_ += bytes;
  // At once: a page fault for each page would cost more.
  ::madvise(chunk, bytes, MADV_POPULATE_WRITE);
  return chunk;
}

void SharedPool::give(Block block) {
  if (block.begin == nullptr) return;
  if (isHeld_) {
    held_.push_back(block);
  } else {
    classOf(block.bytes).free.push_back(block.begin);
  }
}

void SharedPool::release() {
  isHeld_ = false;
  for (const Block& block : std::exchange(held_, {})) give(block);
}

}  // namespace stormo
