#pragma once

#include <deque>
#include <functional>
#include <string>

namespace stormo::process {

class Slot;

/// Replaces workers one after the other: stops one, starts its successor, waits until that is
/// ready, continues with the next. Decides only the order.
class Reload {
 public:
  struct Steps {
    std::function<void(Slot&)> stop;   ///< Order its child to stop.
    std::function<void(Slot&)> start;  ///< Fork the successor now.
    /// Called at the end; `problem` is empty on success. It may destroy the Reload.
    std::function<void(const std::string& problem)> done;
  };

  Reload(std::deque<Slot*> slots, Steps steps);

  void begin() { next(); }
  // Reports of the master about any slot:
  void onEnded(Slot& slot);
  void onReady(Slot& slot);

  /// Calls Steps::done.
  void finish(const std::string& problem);

  /// The slot being replaced; null when none is left.
  [[nodiscard]] const Slot* current() const { return slots_.empty() ? nullptr : slots_.front(); }
  /// True for the slot being replaced.
  [[nodiscard]] bool isAt(const Slot& slot) const {
    return !slots_.empty() && slots_.front() == &slot;
  }

 private:
  void next();

  std::deque<Slot*> slots_;  // the front one is being replaced
  bool started_ = false;     // the new child of the front slot
  Steps steps_;
};

}  // namespace stormo::process
