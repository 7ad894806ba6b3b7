#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "channel/log/state_stream.h"

namespace stormo::channel {

/// A file with the state after the record of one offset, byte by byte in docs/log-format.md:
///
///     "StormSnp" | u64 version | u64 epoch | u64 offset | state | u64 bytes before | u32 CRC-32C
///
/// The checksum covers all bytes before it.
struct Snapshot {
  std::uint64_t epoch = 0;
  std::uint64_t offset = 0;
  std::string_view state = {};  ///< A view into the file's bytes.
};

inline constexpr std::size_t kSnapshotHeaderBytes = 32;
inline constexpr std::size_t kSnapshotTrailerBytes = 12;

[[nodiscard]] std::string snapshotName(std::uint64_t offset);
/// The offset in a name that snapshotName() has made.
[[nodiscard]] std::optional<std::uint64_t> offsetOfSnapshotName(std::string_view name);

/// Reads a whole file. Nullopt if it is damaged.
[[nodiscard]] std::optional<Snapshot> readSnapshot(std::string_view file);

/// Writes the header; the state follows it.
void writeSnapshotHeader(std::uint64_t epoch, std::uint64_t offset, StateWriter& out);

/// Passes what `write` writes on to `sink`, and then the trailer. Returns the number of bytes.
std::uint64_t writeWithTrailer(const std::function<void(StateWriter&)>& write,
                               const std::function<void(std::string_view bytes)>& sink);

}  // namespace stormo::channel
