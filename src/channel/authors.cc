#include "channel/authors.h"

#include <algorithm>
#include <chrono>

namespace stormo::channel {
namespace {

constexpr std::chrono::hours kRemembered{1};
constexpr std::size_t kSweptMin = 1024;

}  // namespace

bool Authors::take(Author author, TimePoint now) {
  if (known_.size() >= sweepAt_) forgetOld(now);
  Known& known = known_[author.id];
  known.lastTime = now;
  if (author.sequence <= known.taken) return false;
  known.taken = author.sequence;
  return true;
}

void Authors::forgetOld(TimePoint now) {
  std::erase_if(known_,
                [now](const auto& entry) { return now - entry.second.lastTime > kRemembered; });
  sweepAt_ = std::max(kSweptMin, 2 * known_.size());
}

}  // namespace stormo::channel
