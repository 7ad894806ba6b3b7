#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace stormo {

/// Memory that a forked child shares with this process. A fork copies neither the memory nor its
/// page tables, and a write to it afterwards copies no page: so a process with much of it forks at
/// once. But the child sees what is written later: while it reads a block, the block must not
/// change. Those given back between hold() and release() do not.
class SharedPool {
 public:
  struct Block {
    char* begin = nullptr;
    std::size_t bytes = 0;
  };

  SharedPool() = default;
  ~SharedPool();
  SharedPool(const SharedPool&) = delete;
  SharedPool& operator=(const SharedPool&) = delete;

  /// A block of at least so many bytes: the next power of two. Throws std::bad_alloc.
  [[nodiscard]] Block take(std::size_t bytes);
  /// `block` comes from take(). Without memory it is ignored.
  void give(Block block);

  /// A child is forked, and reads.
  void hold() { isHeld_ = true; }
  /// It has ended.
  void release();
  [[nodiscard]] bool isHeld() const { return isHeld_; }

 private:
  static constexpr std::size_t kBlockBitsMin = 7;

  /// Blocks of one size.
  struct Class {
    std::vector<char*> free;
    char* next = nullptr;  // the rest of its latest chunk
    char* end = nullptr;
  };

  [[nodiscard]] Class& classOf(std::size_t blockBytes);
  [[nodiscard]] char* takeChunk(std::size_t bytes);

  std::array<Class, 64 - kBlockBitsMin> classes_;
  // Few and large, because a fork copies the description of each mapping. Only what is written to
  // them takes memory.
  std::vector<Block> regions_;
  std::size_t used_ = 0;     // of the last region
  std::vector<Block> held_;  // given back since hold()
  bool isHeld_ = false;
};

}  // namespace stormo
