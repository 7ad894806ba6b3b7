#include "process/shared_counters.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <system_error>

namespace stormo::process {

namespace {

void* mapped(int fd) {
  void* const page = ::mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page != MAP_FAILED) return page;
  throw std::system_error(errno, std::generic_category(), "cannot map memory for counters");
}

}  // namespace

SharedCounters::SharedCounters() : file_(::memfd_create("stormo-counters", MFD_CLOEXEC)) {
  if (!file_.valid() || ::ftruncate(file_.get(), sizeof(Counters)) < 0) {
    throw std::system_error(errno, std::generic_category(), "cannot create memory for counters");
  }
  counters_ = new (mapped(file_.get())) Counters;
}

SharedCounters::SharedCounters(int fd) : counters_(static_cast<Counters*>(mapped(fd))) {}

SharedCounters::~SharedCounters() { ::munmap(counters_, sizeof(Counters)); }

void SharedCounters::resetGauges() {
  counters_->connections.set(0);
  counters_->groups.set(0);
  counters_->timers.set(0);
  counters_->listeners.set(0);
  for (LinkCounters* links : {&counters_->stormoLinks, &counters_->workermanLinks}) {
    for (Counter* counter : {&links->wanted, &links->up, &links->blocked}) counter->set(0);
  }
  LogCounters& log = counters_->channelLog;
  for (Counter* counter : {&log.blocked, &log.bytes, &log.lastOffset}) counter->set(0);
}

}  // namespace stormo::process
