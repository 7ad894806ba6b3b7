#pragma once

#include <string>

namespace stormo::process {

/// Where a master reports that all processes have started. A failure is an exception instead.
class StartReport {
 public:
  /// `screen` is the text for the person who started it.
  virtual void started(const std::string& screen) = 0;
  /// In a forked child: closes its descriptors.
  virtual void abandon() = 0;

 protected:
  ~StartReport() = default;
};

}  // namespace stormo::process
