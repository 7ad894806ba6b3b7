// How the master reacts to what its children do.
#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>

#include "event/call_handler.h"
#include "event/loop_impl.h"
#include "process/child_process.h"
#include "process/master.h"
#include "sys/log.h"

namespace stormo::process {
namespace {

using std::chrono::milliseconds;

/// A hook that takes longer than this is reported in the log.
constexpr milliseconds kExitHookMax{100};

}  // namespace

void Master::reapChildren() {
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    const auto slots = allSlots();
    const auto found = std::find_if(slots.begin(), slots.end(),
                                    [pid](const Slot* each) { return each->pid() == pid; });
    if (reapImage(pid, status)) continue;
    // Others are orphans that PID 1 inherits: they are only reaped.
    if (found == slots.end()) continue;
    (*found)->end(status);
    freeSlot(**found);
    RoleGroup& group = groupOf(**found);
    onChildEnded(group, **found);
    reportExit(group.role, (*found)->index(), shellStatus(status));
  }
}

/// Calls the user's hook, after the master has done its own part.
void Master::reportExit(const Role& role, int slot, int status) {
  if (!role.onChildEnded) return;
  loop_->defer([this, &role, slot, status] {
    const TimePoint began = Clock::now();
    if (!callHandler("onWorkerExit", role.onChildEnded, slot, status)) {
      LoopImpl::of(*loop_).counters().handlerErrors.add();
    }
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
    if (took < kExitHookMax) return;
    log::warning("onWorkerExit blocked the master worker=\"{}\" took_ms={}", childName(role, slot),
                 took.count());
  });
}

void Master::onChildEnded(RoleGroup& group, Slot& slot) {
  connections_.onEnded(slot);
  nodes_.onEnded(slot);
  switch (phase_) {
    case Phase::Starting:
      return failStart(fmt::format("{} '{}' cannot start: {}", kindText(group.role.kind),
                                   group.role.name, slot.lastWords()));
    case Phase::Stopping:
      refuseWhereNobodyAccepts(group);
      return stopNext();
    case Phase::Running:
      if (reload_) reload_->onEnded(slot);
      if (!slot.isSpare() && slot.state() == Slot::State::Down) {
        slot.restartLater([this, &group, &slot] { startChild(group, slot); });
      }
      return updateCover(group);
  }
}

void Master::onChildReady(Slot& slot) {
  RoleGroup& group = groupOf(slot);
  if (phase_ == Phase::Starting && !slot.missing().empty()) {
    return failStart(
        fmt::format("{} '{}' has {}", kindText(group.role.kind), group.role.name, slot.missing()));
  }
  if (phase_ == Phase::Running) {
    updateCover(group);
    if (reload_) reload_->onReady(slot);
  } else if (phase_ == Phase::Starting) {
    const bool allReady = std::all_of(group.slots.begin(), group.slots.end(), [](const auto& each) {
      return each->state() == Slot::State::Ready;
    });
    if (!allReady) return;
    ++rolesStarted_;
    startNextRole();
  }
}

void Master::onAcceptingEnded(Slot& slot) {
  if (phase_ == Phase::Stopping) refuseWhereNobodyAccepts(groupOf(slot));
}

/// Otherwise the kernel would accept clients for nobody during a graceful stop.
void Master::refuseWhereNobodyAccepts(RoleGroup& group) {
  const auto accepts = [](const Slot& slot) {
    return slot.hasChild() && !slot.hasEndedAccepting();
  };
  bool nobodyAccepts = true;
  for (std::size_t i = 0; i < group.slots.size(); ++i) {
    if (accepts(*group.slots[i]) || accepts(*group.spares[i])) {
      nobodyAccepts = false;
    } else {
      group.sockets.refuseClientsOf(i);
    }
  }
  if (nobodyAccepts) group.sockets.refuseClients();
}

void Master::onSilenceChanged(Slot& slot) { updateCover(groupOf(slot)); }

void Master::onRows(Slot& slot, const Json& report) {
  connections_.onReport(slot, report);
  nodes_.onReport(slot, report);
}

}  // namespace stormo::process
