#include "worker/close_pace.h"

#include <algorithm>
#include <utility>

namespace stormo {

std::size_t ClosePace::due(TimePoint now, bool areOthersBehind) {
  const Clock::duration passed = now - std::exchange(last_, now);
  if (areOthersBehind && waited_ < over_) {
    waited_ += passed;
  } else {
    spent_ = std::min(spent_ + passed, over_);
  }
  if (spent_ >= over_) return clients_;
  const double part = static_cast<double>(spent_.count()) / static_cast<double>(over_.count());
  return static_cast<std::size_t>(part * static_cast<double>(clients_));
}

}  // namespace stormo
