#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace stormo {

/// A reference-counted block of bytes. One writer appends to it, then any number of output queues
/// share it. A block and its handles stay on one thread, so the count is not atomic. Blocks come
/// from that thread's pool in sizes of powers of two, so a warm program allocates none.
class SharedBuffer {
 public:
  SharedBuffer() = default;
  SharedBuffer(const SharedBuffer& other) : block_(other.block_) {
    if (block_ != nullptr) ++block_->references;
  }
  SharedBuffer(SharedBuffer&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  SharedBuffer& operator=(SharedBuffer other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~SharedBuffer() { reset(); }

  [[nodiscard]] std::size_t size() const { return block_ == nullptr ? 0 : block_->size; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  /// Size of the block in memory, without its header.
  [[nodiscard]] std::size_t capacity() const { return block_ == nullptr ? 0 : block_->capacity; }
  [[nodiscard]] const char* data() const { return block_ == nullptr ? nullptr : bytes(block_); }
  [[nodiscard]] std::string_view view() const { return {data(), size()}; }

  /// Appends `extra` bytes and returns where to write them. Only for a block that no other handle
  /// shares. Invalidates earlier pointers into the buffer.
  char* extend(std::size_t extra) {
    if (block_ == nullptr || block_->capacity - block_->size < extra) grow(extra);
    char* place = bytes(block_) + block_->size;
    block_->size += extra;
    return place;
  }

  void reset() {
    if (block_ != nullptr && --block_->references == 0) release(block_);
    block_ = nullptr;
  }

  /// Bytes of this thread's blocks that have a handle.
  [[nodiscard]] static std::size_t heldBytes();
  /// Bytes of the blocks in this thread's pool.
  [[nodiscard]] static std::size_t spareBytes();
  /// Frees the pooled blocks of this thread that were not used since the last call. Returns the
  /// bytes freed.
  static std::size_t trimSpares();

 private:
  friend class BufferPool;
  struct Block {
    std::size_t size;
    std::size_t capacity;
    std::uint32_t references;
    Block* nextFree;
  };

  static char* bytes(Block* block) { return reinterpret_cast<char*>(block + 1); }
  void grow(std::size_t extra);
  static void release(Block* block);

  Block* block_ = nullptr;
};

}  // namespace stormo
