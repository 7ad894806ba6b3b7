#include "channel/server/dedup_table.h"

#include <utility>

namespace stormo::channel {
namespace {

constexpr std::uint64_t kRemembered = 3'600'000;

}  // namespace

bool DedupTable::take(std::uint64_t sender, std::uint64_t number, std::uint64_t time,
                      std::uint64_t offset) {
  if (young_.size() >= sendersMax_ || time > youngSince_ + kRemembered) {
    old_ = std::exchange(young_, {});
    youngSince_ = time;
    last_ = nullptr;
  }
  Latest& latest = latestOf(sender);
  if (number <= latest.number) return false;
  latest = {number, offset};
  return true;
}

std::uint64_t DedupTable::offsetOf(std::uint64_t sender, std::uint64_t number) const {
  for (const Numbers* numbers : {&young_, &old_}) {
    const auto found = numbers->find(sender);
    if (found != numbers->end()) return found->second.number == number ? found->second.offset : 0;
  }
  return 0;
}

DedupTable::Latest& DedupTable::latestOf(std::uint64_t sender) {
  if (last_ != nullptr && sender == lastSender_) return *last_;
  const auto [known, isNew] = young_.try_emplace(sender);
  if (isNew) {
    if (const auto before = old_.find(sender); before != old_.end()) {
      known->second = before->second;
    }
  }
  lastSender_ = sender;
  last_ = &known->second;
  return known->second;
}

void DedupTable::save(StateWriter& out) const {
  out.number(youngSince_);
  for (const Numbers* numbers : {&young_, &old_}) {
    out.number(numbers->size());
    for (const auto& [sender, latest] : *numbers) {
      out.number(sender);
      out.number(latest.number);
      out.number(latest.offset);
    }
  }
}

void DedupTable::restore(StateReader& in) {
  youngSince_ = in.number();
  for (Numbers* numbers : {&young_, &old_}) {
    for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left) {
      const std::uint64_t sender = in.number();
      Latest& latest = (*numbers)[sender];
      latest.number = in.number();
      latest.offset = in.number();
    }
  }
}

}  // namespace stormo::channel
