#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace stormo::bench {

/// Prefix of every message of a load test: the publisher, the message's sequence, and the time of
/// sending.
struct Stamp {
  std::uint32_t publisher = 0;  ///< Below kPublishersMax.
  std::uint32_t sequence = 0;   ///< 1, 2, 3, … Zero: a probe, sent before the run.
  std::uint64_t sentNs = 0;     ///< Lower 48 bits of the monotonic clock. In a probe: its round.

  friend bool operator==(const Stamp&, const Stamp&) = default;
};

inline constexpr std::size_t kPublishersMax = std::size_t{1} << 20;

/// "~", then 5, 8 and 12 hexadecimal digits. The length is fixed, and JSON escapes none of them.
inline constexpr char kStampMark = '~';
inline constexpr std::size_t kStampBytes = 26;

/// Writes kStampBytes.
void writeStamp(const Stamp& stamp, char* out);

/// Reads the stamp at the front of `text`; nullopt if there is none.
[[nodiscard]] std::optional<Stamp> readStamp(std::string_view text);

/// Time between two points of the clock, both cut to 48 bits.
[[nodiscard]] constexpr std::uint64_t elapsedNs(std::uint64_t from, std::uint64_t to) {
  return (to - from) & ((std::uint64_t{1} << 48) - 1);
}

}  // namespace stormo::bench
