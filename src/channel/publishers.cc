#include "channel/publishers.h"

#include <chrono>

namespace stormo::channel {
namespace {

// Whoever comes back later than that may have something said twice.
constexpr std::chrono::hours kRemembered{1};
constexpr std::chrono::minutes kLookEvery{1};

}  // namespace

Publishers::Publisher& Publishers::enter(std::uint64_t id, TimePoint now) {
  forgetOld(now);
  return publishers_[id];
}

void Publishers::leave(Publisher& publisher, ConnectionId link, TimePoint now) {
  if (publisher.link != link) return;
  publisher.link = 0;
  publisher.leftAt = now;
}

void Publishers::save(StateWriter& state, TimePoint now) const {
  state.number(publishers_.size());
  for (const auto& [id, publisher] : publishers_) {
    state.number(id);
    state.number(publisher.taken);
    state.time(publisher.link == 0 ? publisher.leftAt : now);
  }
}

void Publishers::load(StateReader& state) {
  for (std::uint64_t left = state.number(); left > 0 && state.ok(); --left) {
    Publisher& publisher = publishers_[state.number()];
    publisher.taken = state.number();
    publisher.leftAt = state.time();
  }
}

void Publishers::forgetOld(TimePoint now) {
  if (now - lookedAt_ < kLookEvery) return;
  lookedAt_ = now;
  std::erase_if(publishers_, [now](const auto& entry) {
    return entry.second.link == 0 && now - entry.second.leftAt > kRemembered;
  });
}

}  // namespace stormo::channel
