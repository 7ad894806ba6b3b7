#pragma once

#include <string>

namespace stormo::process {

/// Where a master says that all is up. (That it is not is told by an exception.)
class StartReport {
 public:
  /// `screen` is for the person who started it.
  virtual void started(const std::string& screen) = 0;
  /// In a forked child: closes what it has open.
  virtual void abandon() = 0;

 protected:
  ~StartReport() = default;
};

}  // namespace stormo::process
