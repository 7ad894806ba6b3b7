#pragma once

#include <cstdint>
#include <unordered_map>

#include "sys/clock.h"

namespace stormo::channel {

/// Whoever says something by way of any publisher: numbered by itself, so that what it says again,
/// by another one, is known. Zero of both: it does not number what it says.
struct Author {
  std::uint64_t id = 0;
  std::uint64_t sequence = 0;
};

/// How far each author has got. One that has said nothing for an hour is forgotten.
class Authors {
 public:
  /// True if it has not said that before.
  [[nodiscard]] bool take(Author author, TimePoint now);
  [[nodiscard]] std::size_t size() const { return known_.size(); }

 private:
  void forgetOld(TimePoint now);

  struct Known {
    std::uint64_t taken = 0;
    TimePoint lastTime{};
  };
  std::unordered_map<std::uint64_t, Known> known_;
  std::size_t sweepAt_ = 0;  // with so many, the old ones among them are looked for
};

}  // namespace stormo::channel
