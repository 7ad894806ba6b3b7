#include "net/spare_memory.h"

#include <malloc.h>

#include <utility>

#include "net/reactor.h"

namespace stormo::net {
namespace {

constexpr std::chrono::seconds kTrimInterval{5};
// Less than this is not worth a timer.
constexpr std::size_t kSparesMin = 64;
constexpr std::size_t kSpareBytesMin = 1 << 20;

}  // namespace

void SpareMemory::watch() {
  hadLargeInput_ = hadLargeInput_ || reactor_.input.incompleteBytes() > kSpareBytesMin;
  const bool hasMuch = reactor_.output.spareCount() > kSparesMin ||
                       reactor_.sender.spareCount() > kSparesMin ||
                       SharedBuffer::spareBytes() + SharedBuffer::heldBytes() > kSpareBytesMin;
  if (isWatched_ || !(hasMuch || hadLargeInput_ || hasFreed_)) return;
  isWatched_ = true;
  LoopImpl& loop = reactor_.loop();
  loop.timers.add(loop.now + kTrimInterval, Clock::duration::zero(), [this] {
    isWatched_ = false;  // the end of this turn calls watch() again
    trim();
  });
}

void SpareMemory::trim() {
  reactor_.output.trim();
  reactor_.sender.trim();
  reactor_.connections.trim();
  const std::size_t trimmedBytes = SharedBuffer::trimSpares();
  // What was freed lies scattered: the C library returns it to the system only on request. That
  // walks through the whole heap, so it is done when all has settled.
  const bool hasSettled = trimmedBytes < kSpareBytesMin &&
                          SharedBuffer::heldBytes() < kSpareBytesMin &&
                          !std::exchange(hadLargeInput_, false);
  if (hasSettled && std::exchange(hasFreed_, false)) ::malloc_trim(0);
  if (!hasSettled) hasFreed_ = true;
}

}  // namespace stormo::net
