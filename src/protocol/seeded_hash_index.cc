#include "protocol/seeded_hash_index.h"

#include "base/assert.h"

namespace stormo {
namespace {

constexpr std::size_t kFirstSlots = 64;

}  // namespace

void SeededHashIndex::insert(std::uint32_t hash, std::size_t position) {
  STORMO_ASSERT(position < std::numeric_limits<std::uint32_t>::max());
  if (2 * (used_ + 1) > slots_.size()) {
    std::vector<Slot> old(slots_.empty() ? kFirstSlots : 2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.positionPlusOne != 0) place(slot);
    }
  }
  place({hash, static_cast<std::uint32_t>(position + 1)});
  ++used_;
}

void SeededHashIndex::place(Slot slot) {
  std::size_t at = slot.hash & mask();
  while (slots_[at].positionPlusOne != 0) at = (at + 1) & mask();
  slots_[at] = slot;
}

}  // namespace stormo
