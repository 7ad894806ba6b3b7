#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

#include "sys/log.h"

namespace stormo::test {

/// The seeds that a simulation runs: those from 1 to `count`, or the one that
/// STORMO_SIMULATION_SEED names. As each fault is logged, the log is dropped unless there is one
/// seed alone.
struct SimulationSeeds {
  explicit SimulationSeeds(std::uint64_t count) : last(count) {
    const char* const only = std::getenv("STORMO_SIMULATION_SEED");
    isOne = only != nullptr;
    if (isOne) first = last = std::stoull(only);
    isReady = isOne || log::openFile("/dev/null");
  }

  std::uint64_t first = 1;
  std::uint64_t last;
  bool isOne = false;
  bool isReady = false;  ///< False: the log cannot be dropped.
};

}  // namespace stormo::test
