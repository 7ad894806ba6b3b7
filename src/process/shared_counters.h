#pragma once

#include "base/counters.h"
#include "sys/unique_fd.h"

namespace stormo::process {

/// Counters in a page of memory that a process shares with its children.
class SharedCounters {
 public:
  /// Throws std::system_error if there is no memory.
  SharedCounters();
  /// The same page in a process that has its descriptor, fd(), but was not forked.
  explicit SharedCounters(int fd);
  ~SharedCounters();
  SharedCounters(const SharedCounters&) = delete;
  SharedCounters& operator=(const SharedCounters&) = delete;

  Counters& operator*() const { return *counters_; }
  Counters* operator->() const { return counters_; }

  [[nodiscard]] int fd() const { return file_.get(); }

  /// For the next child: sets counts of present things to zero, and keeps totals.
  void resetGauges();

 private:
  UniqueFd file_;
  Counters* counters_;
};

}  // namespace stormo::process
