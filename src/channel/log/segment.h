#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "channel/log/log_directory.h"
#include "channel/log/record.h"

namespace stormo::channel {

/// The start of a segment, a file with a run of records; byte by byte in docs/log-format.md:
///
///     "StormLog" | u64 version | u64 epoch | u64 first offset | u64 committed offset |
///     16 bytes boot id | u32 CRC-32C
///
/// The checksum covers all bytes before it.
struct SegmentHeader {
  std::uint64_t epoch = 0;
  std::uint64_t first = 0;  ///< Offset of the first record, which the file may not have yet.
  /// Of the last record that had been applied when the segment was created.
  std::uint64_t committed = 0;
  BootId boot{};  ///< The run of the machine in which the segment was created.
};

inline constexpr std::size_t kSegmentHeaderBytes = 60;

[[nodiscard]] std::string segmentName(std::uint64_t first);
/// The offset in a name that segmentName() has made.
[[nodiscard]] std::optional<std::uint64_t> offsetOfSegmentName(std::string_view name);

[[nodiscard]] std::string encodeSegmentHeader(const SegmentHeader& header);
/// Reads the header of a file. Nullopt if it is damaged.
[[nodiscard]] std::optional<SegmentHeader> readSegmentHeader(std::string_view file);

struct SegmentScan {
  std::uint64_t next = 0;   ///< The offset after the last record read.
  std::uint64_t bytes = 0;  ///< Length of the header and those records.
  /// Why it ended there. Ok: the file ends, or `end` was reached.
  RecordVerdict verdict = RecordVerdict::Ok;
};

/// Reads the records of a file with this header up to offset `end` exclusive or the first one that
/// is not whole. Passes views of many whole records to `visit`, in order, each with the offset of
/// its first.
SegmentScan scanSegment(
    std::string_view file, std::uint64_t first, std::uint64_t end,
    const std::function<void(std::uint64_t first, std::string_view records)>& visit);

}  // namespace stormo::channel
