#include "base/shared_buffer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/assert.h"

namespace stormo {

/// Free blocks of one thread, by size class. Keeps at most a bounded number of bytes.
class BufferPool {
 public:
  using Block = SharedBuffer::Block;

  BufferPool() = default;
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool() {
    for (Block* head : free_) {
      while (head != nullptr) std::free(std::exchange(head, head->nextFree));
    }
  }

  static BufferPool& local() {
    thread_local BufferPool pool;
    return pool;
  }

  Block* take(std::size_t capacity) {
    const std::size_t room = std::bit_ceil(std::max(capacity, kSmallest));
    Block*& head = free_[classOf(room)];
    Block* block = head;
    if (block != nullptr) {
      head = block->nextFree;
      keptBytes_ -= room;
    } else {
      block = static_cast<Block*>(std::malloc(sizeof(Block) + room));
      if (block == nullptr) throw std::bad_alloc();
      block->capacity = room;
    }
    block->size = 0;
    block->references = 1;
    return block;
  }

  void give(Block* block) {
    if (keptBytes_ + block->capacity > kKeptBytesMax) {
      std::free(block);
      return;
    }
    Block*& head = free_[classOf(block->capacity)];
    block->nextFree = head;
    head = block;
    keptBytes_ += block->capacity;
  }

 private:
  static constexpr std::size_t kSmallest = 256;
  static constexpr std::size_t kKeptBytesMax = 16 << 20;

  static std::size_t classOf(std::size_t room) {
    return static_cast<std::size_t>(std::countr_zero(room));
  }

  std::array<Block*, 64> free_{};
  std::size_t keptBytes_ = 0;
};

void SharedBuffer::grow(std::size_t extra) {
  Block* larger = BufferPool::local().take(size() + extra);
  if (block_ != nullptr) {
    STORMO_ASSERT(block_->references == 1);
    std::memcpy(bytes(larger), bytes(block_), block_->size);
    larger->size = block_->size;
    release(block_);
  }
  block_ = larger;
}

void SharedBuffer::release(Block* block) { BufferPool::local().give(block); }

}  // namespace stormo
