#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "process/instance.h"
#include "process/json_fwd.h"

namespace stormo::process {

/// The command line's side of the control socket. Blocking.
class ControlClient {
 public:
  /// Empty if no master runs. Throws std::runtime_error if one runs but cannot be reached.
  static std::optional<ControlClient> connect(const Instance& instance);

  /// Sends one request and returns the answer. Throws std::runtime_error with the text of an error
  /// answer, or if there is no answer within `timeout` (zero: no limit).
  Json ask(const Json& request, std::chrono::milliseconds timeout);

  /// Returns when the master has released everything, so that another can start, and has ended.
  void waitForEnd();

 private:
  explicit ControlClient(UniqueFd fd);
  std::string readLine(std::chrono::milliseconds timeout);

  UniqueFd fd_;
  UniqueFd master_;  // a pidfd
};

}  // namespace stormo::process
