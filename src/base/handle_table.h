#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace stormo {

/// Identifies an object of a HandleTable: the index of its slot, and the slot's generation. Zero
/// identifies no object. 24 bits of index and 32 of generation leave the top byte of a 64-bit word
/// free for a tag.
struct Handle {
  std::uint32_t index = 0;  ///< At most kIndexMax.
  std::uint32_t generation = 0;

  static constexpr std::uint32_t kIndexBits = 24;
  static constexpr std::uint32_t kIndexMax = (1u << kIndexBits) - 1;

  [[nodiscard]] std::uint64_t packed() const {
    return (std::uint64_t{generation} << kIndexBits) | index;
  }
  static Handle unpack(std::uint64_t word) {
    return {static_cast<std::uint32_t>(word) & kIndexMax,
            static_cast<std::uint32_t>(word >> kIndexBits)};
  }
  bool operator==(const Handle&) const = default;
};

/// Objects at stable addresses, found by a handle that becomes invalid when its object is
/// destroyed. Storage grows in chunks and is reused, last freed first; it is never freed before the
/// table. No handle is reused: after 2^32 - 1 objects a slot is retired. `kGenerationMax` is a
/// parameter for tests.
template <typename T, std::uint32_t kGenerationMax = std::numeric_limits<std::uint32_t>::max()>
class HandleTable {
 public:
  HandleTable() = default;
  HandleTable(const HandleTable&) = delete;
  HandleTable& operator=(const HandleTable&) = delete;
  ~HandleTable() {
    for (std::uint32_t i = 0; i < extent_; ++i) {
      if (slot(i).occupied) slot(i).object()->~T();
    }
  }

  /// Constructs a T; its constructor receives the handle as first argument. Throws
  /// std::length_error if all 2^24 slots are taken.
  template <typename... Args>
  T& create(Args&&... args) {
    std::uint32_t index;
    if (free_.empty()) {
      if (extent_ > Handle::kIndexMax) throw std::length_error("a HandleTable is full");
      if (extent_ % kChunkSlots == 0) chunks_.push_back(std::make_unique<Chunk>());
      index = extent_++;
    } else {
      index = free_.back();
      free_.pop_back();
    }
    Slot& s = slot(index);
    ++s.generation;
    T* object = new (s.storage) T(Handle{index, s.generation}, std::forward<Args>(args)...);
    s.occupied = true;
    ++size_;
    return *object;
  }

  /// The object of that handle, or null after its destruction.
  [[nodiscard]] T* find(Handle id) {
    if (id.index >= extent_) return nullptr;
    Slot& s = slot(id.index);
    return s.occupied && s.generation == id.generation ? s.object() : nullptr;
  }

  /// The object in that slot now, or null.
  [[nodiscard]] T* at(std::uint32_t index) {
    return index < extent_ && slot(index).occupied ? slot(index).object() : nullptr;
  }

  /// Destroys the object and invalidates its handle.
  void destroy(Handle id) {
    Slot& s = slot(id.index);
    STORMO_ASSERT(s.occupied && s.generation == id.generation);
    s.occupied = false;  // first: calls from the destructor must not find the object
    s.object()->~T();
    if (id.generation != kGenerationMax) free_.push_back(id.index);
    --size_;
  }

  [[nodiscard]] std::size_t size() const { return size_; }

  /// Calls `visit(T&)` for each object. `visit` may destroy its argument and create objects.
  template <typename Visit>
  void forEach(Visit visit) {
    for (std::uint32_t i = 0; i < extent_; ++i) {
      if (slot(i).occupied) visit(*slot(i).object());
    }
  }

 private:
  static constexpr std::uint32_t kChunkSlots = 256;

  struct Slot {
    alignas(T) unsigned char storage[sizeof(T)];
    std::uint32_t generation = 0;
    bool occupied = false;
    T* object() { return std::launder(reinterpret_cast<T*>(storage)); }
  };
  struct Chunk {
    Slot slots[kChunkSlots];
  };

  Slot& slot(std::uint32_t index) {
    return chunks_[index / kChunkSlots]->slots[index % kChunkSlots];
  }

  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::vector<std::uint32_t> free_;
  std::uint32_t extent_ = 0;
  std::size_t size_ = 0;
};

}  // namespace stormo
