#include "channel/server/producer_table.h"

#include <chrono>

namespace stormo::channel {
namespace {

// Resends of a producer without a link for longer than this may be delivered twice.
constexpr std::chrono::hours kRemembered{1};
constexpr std::chrono::minutes kRemoveInterval{1};

}  // namespace

ProducerTable::Producer& ProducerTable::enter(std::uint64_t id, TimePoint now) {
  removeOld(now);
  return producers_[id];
}

void ProducerTable::leave(Producer& producer, ConnectionId link, TimePoint now) {
  if (producer.link != link) return;
  producer.link = 0;
  producer.leftAt = now;
}

void ProducerTable::save(StateWriter& state, TimePoint now) const {
  state.number(producers_.size());
  for (const auto& [id, producer] : producers_) {
    state.number(id);
    state.number(producer.taken);
    state.time(producer.link == 0 ? producer.leftAt : now);
  }
}

void ProducerTable::load(StateReader& state) {
  for (std::uint64_t left = state.number(); left > 0 && state.ok(); --left) {
    Producer& producer = producers_[state.number()];
    producer.taken = state.number();
    producer.leftAt = state.time();
  }
}

void ProducerTable::removeOld(TimePoint now) {
  if (now - removedAt_ < kRemoveInterval) return;
  removedAt_ = now;
  std::erase_if(producers_, [now](const auto& entry) {
    return entry.second.link == 0 && now - entry.second.leftAt > kRemembered;
  });
}

}  // namespace stormo::channel
