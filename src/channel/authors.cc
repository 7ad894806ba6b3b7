#include "channel/authors.h"

#include <chrono>
#include <utility>

namespace stormo::channel {
namespace {

constexpr std::chrono::hours kRemembered{1};

}  // namespace

bool Authors::take(Author author, TimePoint now) {
  if (young_.size() >= kAuthorsMax || now - youngSince_ > kRemembered) {
    old_ = std::exchange(young_, {});
    youngSince_ = now;
  }
  const auto [known, isNew] = young_.try_emplace(author.id, 0);
  if (isNew) {
    if (const auto before = old_.find(author.id); before != old_.end()) {
      known->second = before->second;
    }
  }
  if (author.sequence <= known->second) return false;
  known->second = author.sequence;
  return true;
}

void Authors::save(StateWriter& state) const {
  state.time(youngSince_);
  for (const Sequences* authors : {&young_, &old_}) {
    state.number(authors->size());
    for (const auto& [id, sequence] : *authors) {
      state.number(id);
      state.number(sequence);
    }
  }
}

void Authors::load(StateReader& state) {
  youngSince_ = state.time();
  for (Sequences* authors : {&young_, &old_}) {
    for (std::uint64_t left = state.number(); left > 0 && state.ok(); --left) {
      const std::uint64_t id = state.number();
      (*authors)[id] = state.number();
    }
  }
}

}  // namespace stormo::channel
