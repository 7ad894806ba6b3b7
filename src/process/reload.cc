#include "process/reload.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stormo::process {
namespace {

using Reason = StopOrder::Reason;

constexpr StopOrder kAtOnce{.reason = Reason::Reload};
/// Accept no more clients, and keep those that are connected.
constexpr StopOrder kNoMoreClients{.reason = Reason::Reload, .graceful = true};

}  // namespace

Reload::Reload(std::vector<Place> places, Leaving leaving, Steps steps)
    : places_(std::move(places)), leaving_(leaving), steps_(std::move(steps)) {}

void Reload::begin() {
  step_ = Step::Clearing;
  stopSpares(kAtOnce, leaving_.killAfter);
  if (livingSpare() == nullptr) startNext();
}

void Reload::startNext() {
  step_ = Step::Starting;
  if (started_ == places_.size()) return promoteAll();
  steps_.start(places_[started_++]);
}

void Reload::onReady(Slot& slot) {
  if (step_ != Step::Starting || started_ == 0 || &places_[started_ - 1].spare() != &slot) return;
  if (!slot.missing().empty()) return fail(fmt::format("{} has {}", slot.name(), slot.missing()));
  startNext();
}

void Reload::onEnded(Slot& slot) {
  if (!slot.isSpare()) return;
  switch (step_) {
    case Step::Waiting:
      return;
    case Step::Clearing:
      if (livingSpare() == nullptr) startNext();
      return;
    case Step::Starting:
      return fail(fmt::format("{} does not start: {}", slot.name(), slot.lastWords()));
    case Step::Leaving:
      return leaveNext();
  }
}

void Reload::promoteAll() {
  step_ = Step::Leaving;
  for (const Place& place : places_) place.promote();
  steps_.promoted();
  if (leaving_.together) {
    stopSpares(leaving_.order, leaving_.killAfter);
  } else {
    stopSpares(kNoMoreClients, leaving_.killAfter);
  }
  leaveNext();
}

void Reload::leaveNext() {
  Slot* const next = livingSpare();
  if (next == nullptr) return finish("");
  if (leaving_.together || std::exchange(isLeaving_, next) == next) return;
  next->stop(leaving_.order, leaving_.killAfter);
}

void Reload::fail(const std::string& why) {
  stopSpares(kAtOnce, leaving_.killAfter);
  finish(why + " (the old workers go on)");
}

void Reload::stopSpares(StopOrder order, std::chrono::milliseconds killAfter) const {
  for (const Place& place : places_) place.spare().stop(order, killAfter);
}

Slot* Reload::livingSpare() const {
  const auto found =
      std::ranges::find_if(places_, [](const Place& place) { return place.spare().hasChild(); });
  return found == places_.end() ? nullptr : &found->spare();
}

void Reload::finish(const std::string& problem) {
  const auto done = std::move(steps_.done);  // it may destroy this
  done(problem);
}

}  // namespace stormo::process
