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
  /// Nothing if no master runs. Throws std::runtime_error if one runs but cannot be reached.
  static std::optional<ControlClient> connect(const Instance& instance);

  /// The answer to one request. Throws std::runtime_error with the sentence of an answer that is an
  /// error, or if there is none within `timeouts` (zero: no limit).
  Json ask(const Json& request, std::chrono::milliseconds timeouts);

  /// Returns when the master has let everything go, so that another may start, and has ended.
  void waitForEnd();

 private:
  explicit ControlClient(UniqueFd fd);
  std::string readLine(std::chrono::milliseconds timeouts);

  UniqueFd fd_;
  UniqueFd master_;  // a pidfd
};

}  // namespace stormo::process
