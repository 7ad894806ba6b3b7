#pragma once

#include <deque>
#include <functional>
#include <string>

namespace stormo::process {

class Slot;

/// One worker after the other: stopped, ended, started, ready, then the next. Decides the order
/// only.
class Reload {
 public:
  struct Steps {
    std::function<void(Slot&)> stop;   ///< Tell its child to end.
    std::function<void(Slot&)> start;  ///< Fork the next one now.
    /// Over; `problem` is empty if all went well. The Reload may be destroyed in it.
    std::function<void(const std::string& problem)> done;
  };

  Reload(std::deque<Slot*> slots, Steps steps);

  void begin() { next(); }
  // What the master hears of any slot.
  void onEnded(Slot& slot);
  void onReady(Slot& slot);

  /// Says so to who waits for it.
  void finish(const std::string& problem);

  /// Null when none is left.
  [[nodiscard]] const Slot* current() const { return slots_.empty() ? nullptr : slots_.front(); }
  /// The slot whose turn it is; its end is wanted.
  [[nodiscard]] bool isAt(const Slot& slot) const {
    return !slots_.empty() && slots_.front() == &slot;
  }

 private:
  void next();

  std::deque<Slot*> slots_;  // the front one is being replaced
  bool started_ = false;     // its new child
  Steps steps_;
};

}  // namespace stormo::process
