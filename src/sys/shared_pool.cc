#include "sys/shared_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

namespace stormo {
namespace {

// Populated at once: a page fault for each page would cost more.
char* map(std::size_t bytes) {
  void* const begin = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (begin == MAP_FAILED) throw std::bad_alloc();
  return static_cast<char*>(begin);
}

}  // namespace

SharedPool::~SharedPool() {
  for (char* const chunk : chunks_) ::munmap(chunk, std::size_t{1} << kChunkBits);
  for (const Block& block : large_) ::munmap(block.begin, block.bytes);
}

SharedPool::Block SharedPool::take(std::size_t bytes) {
  bytes = std::bit_ceil(std::max(bytes, std::size_t{1} << kBlockBitsMin));
  const auto bits = static_cast<std::size_t>(std::countr_zero(bytes));
  if (bits > kChunkBits) {
    large_.push_back({map(bytes), bytes});
    return large_.back();
  }
  Class& blocks = classes_[bits - kBlockBitsMin];
  if (!blocks.free.empty()) {
    char* const begin = blocks.free.back();
    blocks.free.pop_back();
    return {begin, bytes};
  }
  if (blocks.next == blocks.end) {
    chunks_.push_back(map(std::size_t{1} << kChunkBits));
    blocks.next = chunks_.back();
    blocks.end = blocks.next + (std::size_t{1} << kChunkBits);
  }
  return {std::exchange(blocks.next, blocks.next + bytes), bytes};
}

void SharedPool::give(Block block) {
  if (block.begin == nullptr) return;
  if (isHeld_) {
    held_.push_back(block);
  } else {
    reuse(block);
  }
}

void SharedPool::release() {
  isHeld_ = false;
  for (const Block& block : std::exchange(held_, {})) reuse(block);
}

void SharedPool::reuse(Block block) {
  const auto bits = static_cast<std::size_t>(std::countr_zero(block.bytes));
  if (bits <= kChunkBits) {
    classes_[bits - kBlockBitsMin].free.push_back(block.begin);
    return;
  }
  std::erase_if(large_, [&](const Block& each) { return each.begin == block.begin; });
  ::munmap(block.begin, block.bytes);
}

}  // namespace stormo
