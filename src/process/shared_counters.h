#pragma once

#include "base/counters.h"

namespace stormo::process {

/// Counters in a page of memory that a process shares with its forked children.
class SharedCounters {
 public:
  /// Throws std::system_error if there is no memory.
  SharedCounters();
  ~SharedCounters();
  SharedCounters(const SharedCounters&) = delete;
  SharedCounters& operator=(const SharedCounters&) = delete;

  Counters& operator*() const { return *counters_; }
  Counters* operator->() const { return counters_; }

  /// For the next child: sets counts of present things to zero, and keeps totals.
  void resetGauges();

 private:
  Counters* counters_;
};

}  // namespace stormo::process
