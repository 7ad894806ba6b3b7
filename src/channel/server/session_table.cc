#include "channel/server/session_table.h"

#include <chrono>
#include <utility>

namespace stormo::channel {
namespace {

constexpr std::chrono::hours kRemembered{1};

}  // namespace

bool SessionTable::take(SendId send, TimePoint now) {
  if (young_.size() >= kSessionsMax || now - youngSince_ > kRemembered) {
    old_ = std::exchange(young_, {});
    youngSince_ = now;
  }
  const auto [known, isNew] = young_.try_emplace(send.session, 0);
  if (isNew) {
    if (const auto before = old_.find(send.session); before != old_.end()) {
      known->second = before->second;
    }
  }
  if (send.number <= known->second) return false;
  known->second = send.number;
  return true;
}

void SessionTable::save(StateWriter& state) const {
  state.time(youngSince_);
  for (const Sequences* sessions : {&young_, &old_}) {
    state.number(sessions->size());
    for (const auto& [id, sequence] : *sessions) {
      state.number(id);
      state.number(sequence);
    }
  }
}

void SessionTable::load(StateReader& state) {
  youngSince_ = state.time();
  for (Sequences* sessions : {&young_, &old_}) {
    for (std::uint64_t left = state.number(); left > 0 && state.ok(); --left) {
      const std::uint64_t id = state.number();
      (*sessions)[id] = state.number();
    }
  }
}

}  // namespace stormo::channel
