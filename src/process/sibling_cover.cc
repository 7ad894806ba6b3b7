#include "process/sibling_cover.h"

#include "base/assert.h"

namespace stormo::process {
namespace {

/// The next able slot, so that different siblings cover several slots that are down.
std::optional<int> nextAble(const std::vector<bool>& able, std::size_t slot) {
  for (std::size_t step = 1; step < able.size(); ++step) {
    const std::size_t candidate = (slot + step) % able.size();
    if (able[candidate]) return static_cast<int>(candidate);
  }
  return std::nullopt;
}

}  // namespace

std::vector<SiblingCover::Order> SiblingCover::update(const std::vector<bool>& able) {
  STORMO_ASSERT(able.size() == acceptorOf_.size());
  std::vector<Order> orders;
  for (std::size_t slot = 0; slot < able.size(); ++slot) {
    std::optional<int>& acceptor = acceptorOf_[slot];
    const bool stillRight = acceptor && !able[slot] && able[static_cast<std::size_t>(*acceptor)];
    if (stillRight) continue;
    if (acceptor) orders.push_back({*acceptor, static_cast<int>(slot), false});
    acceptor = able[slot] ? std::nullopt : nextAble(able, slot);
    if (acceptor) orders.push_back({*acceptor, static_cast<int>(slot), true});
  }
  return orders;
}

}  // namespace stormo::process
