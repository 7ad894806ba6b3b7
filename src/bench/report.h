#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "bench/histogram.h"
#include "bench/plan.h"

namespace stormo::bench {

/// Results of a load test.
struct Report {
  double connectSeconds = 0;  ///< Until all members had joined.
  double seconds = 0;         ///< Of the measured part.
  std::uint64_t published = 0;
  std::uint64_t delivered = 0;
  Histogram latency;

  // Members of stormo.v1 that made their connection again.
  std::uint64_t returned = 0;
  std::vector<std::uint64_t> returnedInSecond = {};  ///< Of the measured part.
  std::uint64_t refused = 0;                         ///< Attempts that failed.

  std::uint64_t closed = 0;  ///< Connections refused or closed by the server.
  std::uint64_t missing = 0;
  std::uint64_t surplus = 0;
  std::uint64_t disordered = 0;
  std::string firstFault;

  // Sums over the server's processes; zero if the server is not on this machine.
  std::size_t serverProcesses = 0;
  double connectCpuSeconds = 0;         ///< Until all members had joined.
  double serverCpuSeconds = 0;          ///< In the measured part.
  std::uint64_t memoryBytes = 0;        ///< After all members had joined.
  std::uint64_t memoryBytesBefore = 0;  ///< Before the first member connected.

  [[nodiscard]] bool isFlawless() const {
    return closed + refused + missing + surplus + disordered == 0 && firstFault.empty();
  }
};

[[nodiscard]] nlohmann::ordered_json toJson(const Plan& plan, const Report& report);
[[nodiscard]] std::string toText(const Plan& plan, const Report& report);

}  // namespace stormo::bench
