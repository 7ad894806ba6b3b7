#pragma once

#include <exception>

#include "sys/log.h"

namespace stormo {

/// Calls a handler of the user that concerns no connection. An exception is logged, with `kind`:
/// "timer", "watch", … False if it threw.
template <typename Handler, typename... Args>
bool callHandler(const char* kind, const Handler& handler, Args... args) {
  try {
    handler(args...);
    return true;
  } catch (const std::exception& thrown) {
    log::error("a handler threw kind={} what=\"{}\"", kind, thrown.what());
  } catch (...) {
    log::error("a handler threw kind={} what=\"not a std::exception\"", kind);
  }
  return false;
}

}  // namespace stormo
