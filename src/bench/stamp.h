#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace stormo::bench {

/// What every message of a load test begins with: who sent it, as which of his messages, and when.
struct Stamp {
  std::uint32_t publisher = 0;  ///< Below kPublishersMax.
  std::uint32_t sequence = 0;   ///< 1, 2, 3, … A probe, sent before the run: 0.
  std::uint64_t sentNs = 0;     ///< Monotonic clock, its lower 48 bits. Of a probe: its round.

  friend bool operator==(const Stamp&, const Stamp&) = default;
};

inline constexpr std::size_t kPublishersMax = std::size_t{1} << 20;

/// "~", then 5, 8 and 12 hexadecimal digits: the same length always, and nothing that JSON escapes.
inline constexpr char kStampMark = '~';
inline constexpr std::size_t kStampBytes = 26;

/// Writes kStampBytes.
void writeStamp(const Stamp& stamp, char* out);

/// Reads the stamp at the front of `text`; nothing if there is none.
[[nodiscard]] std::optional<Stamp> readStamp(std::string_view text);

/// From one point of the clock to another, both cut to 48 bits.
[[nodiscard]] constexpr std::uint64_t elapsedNs(std::uint64_t from, std::uint64_t to) {
  return (to - from) & ((std::uint64_t{1} << 48) - 1);
}

}  // namespace stormo::bench
