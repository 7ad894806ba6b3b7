#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "process/child.h"
#include "process/role_group.h"

namespace stormo::process {

/// Replaces workers. First it starts all successors, one after the other, while the old children
/// go on. If one does not start, the old children stay, and the other successors are stopped. When
/// all are ready, they take over, and the old children accept no more clients and leave. Decides
/// only the order.
class Reload {
 public:
  /// How the old children leave.
  struct Leaving {
    StopOrder order;
    std::chrono::milliseconds killAfter;  ///< See Slot::stop().
    bool together;                        ///< All at the same time; else one after the other.
  };
  struct Steps {
    std::function<void(Place)> start;  ///< Fork the successor, in the place's spare slot.
    std::function<void()> promoted;    ///< The successors have taken over.
    /// Called at the end; `problem` is empty on success. It may destroy the Reload.
    std::function<void(const std::string& problem)> done;
  };

  Reload(std::vector<Place> places, Leaving leaving, Steps steps);

  /// Ends at once what an earlier reload has left in spare slots, then starts.
  void begin();
  // Reports of the master about any slot:
  void onEnded(Slot& slot);
  void onReady(Slot& slot);

  /// Calls Steps::done. Successors that have not taken over stay in their spare slots, for the next
  /// Reload or a stop.
  void finish(const std::string& problem);

 private:
  enum class Step { Waiting, Clearing, Starting, Leaving };

  void startNext();
  void promoteAll();
  void leaveNext();
  void fail(const std::string& why);
  void stopSpares(StopOrder order, std::chrono::milliseconds killAfter) const;
  [[nodiscard]] Slot* livingSpare() const;

  const std::vector<Place> places_;
  const Leaving leaving_;
  Steps steps_;
  Step step_ = Step::Waiting;  // for begin()
  std::size_t started_ = 0;    // of the successors
  Slot* isLeaving_ = nullptr;  // one after the other: the one that has the final order
};

}  // namespace stormo::process
