#pragma once

#include <cstdlib>
#include <optional>
#include <string>

namespace stormo::process {

/// The value of an environment variable that is meant for this process alone: it is removed, so
/// that no program that this one starts has it. Nullopt without that variable.
inline std::optional<std::string> takeVariable(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  std::string taken = value;
  ::unsetenv(name);
  return taken;
}

}  // namespace stormo::process
