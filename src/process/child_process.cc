#include "process/child_process.h"

#include <fmt/format.h>
#include <stormo/timer.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "event/loop_impl.h"
#include "event/process_life.h"
#include "process/child_link.h"
#include "process/privileges.h"
#include "sys/log.h"

namespace stormo::process {
namespace {

int live(ChildRole& role) {
  EventLoop loop;
  LoopImpl::of(loop).useCounters(role.counters);
  Child child(loop, role.slot, role.part, std::move(role.listeners), std::move(role.siblings),
              role.stateDirectory);
  ChildLink link(child, std::move(role.link));
  std::shared_ptr<void> keeper;
  try {
    if (const auto identity = identityOf(role.role)) become(*identity);
    keeper = role.role.main(child);
  } catch (const std::exception& thrown) {
    link.reportFailure(thrown.what());
    return 1;
  }
  if (awaited().count == 0) {
    link.reportReady();
  } else {
    const Timer::Id deadline = Timer::once(role.linkedWithin, [&link] {
      awaited().onArrived = {};
      link.reportReady(awaited().why);
    });
    awaited().onArrived = [&link, deadline] {
      Timer::cancel(deadline);
      link.reportReady();
    };
  }
  loop.run();
  return 0;
}

}  // namespace

std::string childName(const Role& role, int slot) {
  if (role.kind == RoleKind::Channel) return kindText(role.kind);
  return fmt::format("{} {}/{}", kindText(role.kind), role.name, slot);
}

void runChild(ChildRole role) {
  const std::string name = childName(role.role, role.slot);
  log::setRole(name);
  ::prctl(PR_SET_NAME, name.c_str());  // its first 15 bytes, for ps and top
  int status = 1;
  try {
    status = live(role);
  } catch (const std::exception& thrown) {
    log::error("an exception ended this process what=\"{}\"", thrown.what());
  }
  // Not exit(): the destructors of global objects run in the master only.
  std::fflush(nullptr);
  ::_exit(status);
}

}  // namespace stormo::process
