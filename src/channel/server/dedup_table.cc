#include "channel/server/dedup_table.h"

#include <utility>

namespace stormo::channel {
namespace {

constexpr std::uint64_t kRemembered = 3'600'000;

}  // namespace

bool DedupTable::take(std::uint64_t sender, std::uint64_t number, std::uint64_t time) {
  if (young_.size() >= sendersMax_ || time > youngSince_ + kRemembered) {
    old_ = std::exchange(young_, {});
    youngSince_ = time;
    lastNumber_ = nullptr;
  }
  std::uint64_t& latest = latestOf(sender);
  if (number <= latest) return false;
  latest = number;
  return true;
}

std::uint64_t& DedupTable::latestOf(std::uint64_t sender) {
  if (lastNumber_ != nullptr && sender == lastSender_) return *lastNumber_;
  const auto [known, isNew] = young_.try_emplace(sender, 0);
  if (isNew) {
    if (const auto before = old_.find(sender); before != old_.end()) {
      known->second = before->second;
    }
  }
  lastSender_ = sender;
  lastNumber_ = &known->second;
  return known->second;
}

void DedupTable::save(StateWriter& out) const {
  out.number(youngSince_);
  for (const Numbers* numbers : {&young_, &old_}) {
    out.number(numbers->size());
    for (const auto& [sender, number] : *numbers) {
      out.number(sender);
      out.number(number);
    }
  }
}

void DedupTable::restore(StateReader& in) {
  youngSince_ = in.number();
  for (Numbers* numbers : {&young_, &old_}) {
    for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left) {
      const std::uint64_t sender = in.number();
      (*numbers)[sender] = in.number();
    }
  }
}

}  // namespace stormo::channel
