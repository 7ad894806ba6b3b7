#include "process/shared_counters.h"

#include <sys/mman.h>

#include <cerrno>
#include <new>
#include <system_error>

namespace stormo::process {

SharedCounters::SharedCounters() {
  void* page =
      ::mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) {
    throw std::system_error(errno, std::generic_category(), "cannot map memory for counters");
  }
  counters_ = new (page) Counters;
}

SharedCounters::~SharedCounters() { ::munmap(counters_, sizeof(Counters)); }

void SharedCounters::resetGauges() {
  counters_->connections.set(0);
  counters_->groups.set(0);
  counters_->timers.set(0);
  counters_->listeners.set(0);
  for (LinkCounters* links : {&counters_->stormoLinks, &counters_->workermanLinks}) {
    links->wanted.set(0);
    links->up.set(0);
  }
  LogCounters& log = counters_->channelLog;
  for (Counter* counter : {&log.blocked, &log.bytes, &log.lastOffset}) counter->set(0);
}

}  // namespace stormo::process
