#pragma once

#include <cstddef>
#include <cstdint>

#include "base/keyed_hash.h"
#include "channel/state_file.h"
#include "sys/clock.h"

namespace stormo::channel {

/// Whoever says something by way of any publisher: numbered by itself, so that what it says again,
/// by another one, is known. Zero of both: it does not number what it says.
struct Author {
  std::uint64_t id = 0;
  std::uint64_t sequence = 0;
};

/// How far each author has got. Remembers it for an hour after the author's last word; for less, if
/// more than kAuthorsMax of them have spoken meanwhile.
class Authors {
 public:
  static constexpr std::size_t kAuthorsMax = 500'000;

  /// True if it has not said that before.
  [[nodiscard]] bool take(Author author, TimePoint now);

  void save(StateWriter& state) const;
  void load(StateReader& state);

 private:
  using Sequences = KeyedMap<std::uint64_t, std::uint64_t>;  // by author

  // An author that speaks is among the young. These become the old ones, which are then forgotten,
  // when they are an hour old, or too many.
  Sequences young_;
  Sequences old_;
  TimePoint youngSince_{};
};

}  // namespace stormo::channel
