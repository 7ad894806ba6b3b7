#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace stormo::channel {

/// One record of the Channel's log, byte by byte in docs/log-format.md: what a producer has sent or
/// the server has decided, as a packet of Stormo's dialect (protocol/channel/packet.h).
///
///     u32 length | u32 CRC-32C | u64 time | u64 producer id | packet
///
/// with all integers big-endian. The length counts all bytes of the record; the checksum covers
/// those after it and the length.
struct Record {
  std::uint64_t time =
      0;  ///< Milliseconds since 1970; never less than in the node's record before.
  std::uint64_t producerId = 0;
  std::string_view packet = {};  ///< Without a frame's length bytes.
};

inline constexpr std::size_t kRecordHeaderBytes = 24;

/// Appends one record.
void appendRecord(const Record& record, std::string& out);

enum class RecordVerdict {
  Ok,
  Incomplete,  ///< The bytes end within the record.
  Damaged,     ///< An impossible length or a wrong checksum.
};

struct RecordRead {
  RecordVerdict verdict;
  Record record = {};     ///< A view into the bytes.
  std::size_t bytes = 0;  ///< Length of the whole record.
};

/// Reads the first record of `bytes`, which are not empty. Checks its checksum, not its packet.
[[nodiscard]] RecordRead readRecord(std::string_view bytes);

/// The first record of bytes that appendRecord() has written, or that were checked before.
[[nodiscard]] Record trustedRecord(std::string_view bytes);
/// Length of that record.
[[nodiscard]] std::size_t trustedRecordBytes(std::string_view bytes);
/// The number of these whole records.
[[nodiscard]] std::uint64_t countRecords(std::string_view records);

}  // namespace stormo::channel
