#include "process/reload.h"

#include <fmt/format.h>

#include "process/slot.h"

namespace stormo::process {

Reload::Reload(std::deque<Slot*> slots, Steps steps)
    : slots_(std::move(slots)), steps_(std::move(steps)) {}

void Reload::next() {
  if (slots_.empty()) return finish("");
  Slot& slot = *slots_.front();
  started_ = !slot.hasChild();
  if (started_) {
    steps_.start(slot);  // out of its back-off
  } else {
    steps_.stop(slot);
  }
}

void Reload::onEnded(Slot& slot) {
  if (!isAt(slot)) return;
  if (started_) {
    // The other slots keep their old children, which run.
    return finish(fmt::format("{} does not restart: {} (the workers after it were not reloaded)",
                              slot.name(), slot.lastWords()));
  }
  started_ = true;
  steps_.start(slot);
}

void Reload::onReady(Slot& slot) {
  if (!isAt(slot) || !started_) return;
  slots_.pop_front();
  next();
}

void Reload::finish(const std::string& problem) {
  const auto done = std::move(steps_.done);  // it may destroy this
  done(problem);
}

}  // namespace stormo::process
