#include "channel/server/producer_table.h"

#include <chrono>

namespace stormo::channel {
namespace {

// Whoever comes back later than that may have something said twice.
constexpr std::chrono::hours kRemembered{1};
constexpr std::chrono::minutes kLookEvery{1};

}  // namespace

ProducerTable::Publisher& ProducerTable::enter(std::uint64_t id, TimePoint now) {
  forgetOld(now);
  return producers_[id];
}

void ProducerTable::leave(Publisher& publisher, ConnectionId link, TimePoint now) {
  if (publisher.link != link) return;
  publisher.link = 0;
  publisher.leftAt = now;
}

void ProducerTable::save(StateWriter& state, TimePoint now) const {
  state.number(producers_.size());
  for (const auto& [id, publisher] : producers_) {
    state.number(id);
    state.number(publisher.taken);
    state.time(publisher.link == 0 ? publisher.leftAt : now);
  }
}

void ProducerTable::load(StateReader& state) {
  for (std::uint64_t left = state.number(); left > 0 && state.ok(); --left) {
    Publisher& publisher = producers_[state.number()];
    publisher.taken = state.number();
    publisher.leftAt = state.time();
  }
}

void ProducerTable::forgetOld(TimePoint now) {
  if (now - lookedAt_ < kLookEvery) return;
  lookedAt_ = now;
  std::erase_if(producers_, [now](const auto& entry) {
    return entry.second.link == 0 && now - entry.second.leftAt > kRemembered;
  });
}

}  // namespace stormo::channel
