#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"

namespace stormo {

/// An index from the hash of a key to the position of its entry in a large array. The hash has a
/// secret seed, so that a client cannot choose keys that collide. Open addressing, at most half
/// full.
class SeededHashIndex {
 public:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  [[nodiscard]] static std::uint32_t hash(std::string_view key) {
    return static_cast<std::uint32_t>(KeyedHash{}(key));
  }
  [[nodiscard]] static std::uint32_t hash(std::int64_t key) {
    return static_cast<std::uint32_t>(KeyedHash{}(static_cast<std::uint64_t>(key)));
  }

  /// The position inserted with this hash for which `isIt(position)` is true, or kNone.
  template <typename IsIt>
  [[nodiscard]] std::size_t find(std::uint32_t hash, IsIt isIt) const {
    if (slots_.empty()) return kNone;
    for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
      const Slot& slot = slots_[at];
      if (slot.positionPlusOne == 0) return kNone;
      if (slot.hash == hash && isIt(slot.positionPlusOne - 1)) return slot.positionPlusOne - 1;
    }
  }

  /// The key must not exist yet. Positions are below 2^32 - 1.
  void insert(std::uint32_t hash, std::size_t position);

  [[nodiscard]] bool empty() const { return used_ == 0; }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t positionPlusOne = 0;  ///< Zero: free.
  };

  [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }
  void place(Slot slot);

  std::vector<Slot> slots_;  // a power of two of them
  std::size_t used_ = 0;
};

}  // namespace stormo
