#pragma once

#include "base/counters.h"

namespace stormo::process {

/// Counters in a page of memory that a process and the children it forks share.
class SharedCounters {
 public:
  /// Throws std::system_error if there is no memory.
  SharedCounters();
  ~SharedCounters();
  SharedCounters(const SharedCounters&) = delete;
  SharedCounters& operator=(const SharedCounters&) = delete;

  Counters& operator*() const { return *counters_; }
  Counters* operator->() const { return counters_; }

  /// For the next child: what is counted "now" starts at zero, totals go on.
  void resetGauges();

 private:
  Counters* counters_;
};

}  // namespace stormo::process
