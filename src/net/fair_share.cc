#include "net/fair_share.h"

#include <algorithm>

namespace stormo::net {
namespace {

// How many connections more than a sibling's are not "ahead" yet, so that many clients that connect
// at once are not accepted one at a time.
std::uint64_t slack(std::uint64_t connections) { return 4 + connections / 16; }

// A busy system may not run a healthy process for tens of milliseconds.
constexpr int kMissedMax = 50;

}  // namespace

bool FairShare::Sibling::isHung() const { return missed >= kMissedMax && !hasMadeTurn(); }

FairShare::FairShare(const std::vector<const Counters*>& siblings) {
  for (const Counters* each : siblings) siblings_.push_back({.counters = each});
}

bool FairShare::isAhead(const Counters& own) const {
  return std::ranges::any_of(siblings_, [&own](const Sibling& sibling) {
    const Counters& its = *sibling.counters;
    if (its.listeners.get() == 0 || sibling.isHung()) return false;
    const std::uint64_t connections = its.connections.get();
    return own.connections.get() > connections + slack(connections);
  });
}

void FairShare::beginLeaving() {
  for (Sibling& sibling : siblings_) {
    if (!sibling.hasMadeTurn()) continue;
    sibling.turns = sibling.counters->turns.get();
    sibling.missed = 0;
  }
}

void FairShare::noteNotAccepted() {
  for (Sibling& sibling : siblings_) {
    if (!sibling.hasMadeTurn() && sibling.missed < kMissedMax) ++sibling.missed;
  }
}

}  // namespace stormo::net
