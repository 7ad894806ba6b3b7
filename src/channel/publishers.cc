#include "channel/publishers.h"

#include <chrono>
#include <utility>

namespace stormo::channel {
namespace {

// Whoever comes back later than that may have something said twice.
constexpr std::chrono::hours kRemembered{1};

}  // namespace

ConnectionId Publishers::enter(std::uint64_t id, ConnectionId link, TimePoint now) {
  forgetOld(now);
  return std::exchange(publishers_[id].link, link);
}

void Publishers::leave(std::uint64_t id, ConnectionId link, TimePoint now) {
  const auto known = publishers_.find(id);
  if (known == publishers_.end() || known->second.link != link) return;
  known->second.link = 0;
  known->second.leftAt = now;
}

void Publishers::forgetOld(TimePoint now) {
  std::erase_if(publishers_, [now](const auto& entry) {
    return entry.second.link == 0 && now - entry.second.leftAt > kRemembered;
  });
}

}  // namespace stormo::channel
