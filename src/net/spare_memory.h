#pragma once

namespace stormo::net {

class Reactor;

/// Gives memory back that was used for output, and for long messages that came, once it was not
/// used for some seconds: first to the C library, then, when all has settled, to the system.
class SpareMemory {
 public:
  explicit SpareMemory(Reactor& reactor) : reactor_(reactor) {}

  /// At the end of each turn: sets a timer if there is much unused memory.
  void watch();

 private:
  void trim();

  Reactor& reactor_;
  bool isWatched_ = false;      // by a timer
  bool hadLargeInput_ = false;  // since the last trim()
  bool hasFreed_ = false;       // since the C library was asked to return what is free
};

}  // namespace stormo::net
