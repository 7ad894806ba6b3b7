#include "base/shared_buffer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/assert.h"

namespace stormo {

/// Free blocks of one thread by size class, up to a limit in bytes.
class BufferPool {
 public:
  using Block = SharedBuffer::Block;

  BufferPool() = default;
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool() {
    for (Class& blocks : classes_) {
      while (blocks.count > 0) std::free(blocks.pop());
    }
  }

  static BufferPool& local() {
    thread_local BufferPool pool;
    return pool;
  }

  Block* take(std::size_t capacity) {
    const std::size_t room = std::bit_ceil(std::max(capacity, kSmallest));
    Class& blocks = classes_[classOf(room)];
    Block* block = nullptr;
    if (blocks.count > 0) {
      block = blocks.pop();
      blocks.unused = std::min(blocks.unused, blocks.count);
      keptBytes_ -= room;
    } else {
      block = static_cast<Block*>(std::malloc(sizeof(Block) + room));
      if (block == nullptr) throw std::bad_alloc();
      block->capacity = room;
    }
    block->size = 0;
    block->references = 1;
    heldBytes_ += room;
    return block;
  }

  void give(Block* block) {
    heldBytes_ -= block->capacity;
    if (keptBytes_ + block->capacity > kKeptBytesMax) {
      std::free(block);
      return;
    }
    keptBytes_ += block->capacity;
    classes_[classOf(block->capacity)].push(block);
  }

  std::size_t trim() {
    const std::size_t before = keptBytes_;
    for (Class& blocks : classes_) {
      for (; blocks.unused > 0; --blocks.unused) {
        Block* block = blocks.pop();
        keptBytes_ -= block->capacity;
        std::free(block);
      }
      blocks.unused = blocks.count;
    }
    return before - keptBytes_;
  }

  [[nodiscard]] std::size_t heldBytes() const { return heldBytes_; }
  [[nodiscard]] std::size_t keptBytes() const { return keptBytes_; }

 private:
  /// Free blocks of one size.
  struct Class {
    Block* head = nullptr;
    std::size_t count = 0;
    std::size_t unused = 0;  // the lowest count since the last trim

    void push(Block* block) {
      block->nextFree = head;
      head = block;
      ++count;
    }
    Block* pop() {
      --count;
      return std::exchange(head, head->nextFree);
    }
  };

  static constexpr std::size_t kSmallest = 256;
  static constexpr std::size_t kKeptBytesMax = 16 << 20;

  static std::size_t classOf(std::size_t room) {
    return static_cast<std::size_t>(std::countr_zero(room));
  }

  std::array<Class, 64> classes_{};
  std::size_t keptBytes_ = 0;
  std::size_t heldBytes_ = 0;
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

std::size_t SharedBuffer::heldBytes() { return BufferPool::local().heldBytes(); }
std::size_t SharedBuffer::spareBytes() { return BufferPool::local().keptBytes(); }
std::size_t SharedBuffer::trimSpares() { return BufferPool::local().trim(); }

}  // namespace stormo
