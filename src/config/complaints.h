#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "config/settings.h"

// What is wrong with a number of the settings, as SettingSpec::complaint states it.
namespace stormo::config {

template <std::size_t Settings::*Member, std::size_t Max>
std::string mustBeWithin(const Settings& settings) {
  const std::size_t value = settings.*Member;
  if (value == 0) return "must be at least 1";
  return value <= Max ? std::string() : "must be at most " + std::to_string(Max);
}

inline constexpr std::size_t kMiB = std::size_t{1} << 20;
inline constexpr std::size_t kGiB = std::size_t{1} << 30;
inline constexpr std::int64_t kHour = 3600;
inline constexpr std::int64_t kDay = 24 * kHour;

template <std::chrono::seconds Settings::*Member, std::int64_t Max>
std::string mustLastAtMost(const Settings& settings) {
  const std::int64_t seconds = (settings.*Member).count();
  return seconds <= Max ? std::string() : "must be at most " + std::to_string(Max) + " seconds";
}

template <std::chrono::seconds Settings::*Member, std::int64_t Max>
std::string mustLast(const Settings& settings) {
  if ((settings.*Member).count() <= 0) return "must be at least 1 second";
  return mustLastAtMost<Member, Max>(settings);
}

template <std::size_t Settings::*Member, std::size_t Max>
std::string mustBeAtMost(const Settings& settings) {
  return settings.*Member <= Max ? std::string() : "must be at most " + std::to_string(Max);
}

}  // namespace stormo::config
