#include "channel/log/segment.h"

#include <cstring>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "channel/log/offset_name.h"

namespace stormo::channel {
namespace {

constexpr std::string_view kEnding = ".log";
constexpr std::uint64_t kMagic = 0x53746f726d4c6f67;  // "StormLog"
constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kBootBegin = 40;
constexpr std::size_t kChecksumBegin = 56;
// Records are passed on while the processor's cache still has them.
constexpr std::size_t kChunkBytes = 128 << 10;

}  // namespace

std::string segmentName(std::uint64_t first) { return offsetName(first, kEnding); }

std::optional<std::uint64_t> offsetOfSegmentName(std::string_view name) {
  return offsetInName(name, kEnding);
}

std::string encodeSegmentHeader(const SegmentHeader& header) {
  std::string out(kSegmentHeaderBytes, '\0');
  storeBigEndian(out.data(), kMagic);
  storeBigEndian(out.data() + 8, kVersion);
  storeBigEndian(out.data() + 16, header.epoch);
  storeBigEndian(out.data() + 24, header.first);
  storeBigEndian(out.data() + 32, header.committed);
  std::memcpy(out.data() + kBootBegin, header.boot.data(), header.boot.size());
  storeBigEndian(out.data() + kChecksumBegin,
                 crc32c(std::string_view(out).substr(0, kChecksumBegin)));
  return out;
}

std::optional<SegmentHeader> readSegmentHeader(std::string_view file) {
  if (file.size() < kSegmentHeaderBytes || loadBigEndian<std::uint64_t>(file.data()) != kMagic ||
      loadBigEndian<std::uint64_t>(file.data() + 8) != kVersion ||
      loadBigEndian<std::uint32_t>(file.data() + kChecksumBegin) !=
          crc32c(file.substr(0, kChecksumBegin))) {
    return std::nullopt;
  }
  SegmentHeader header{.epoch = loadBigEndian<std::uint64_t>(file.data() + 16),
                       .first = loadBigEndian<std::uint64_t>(file.data() + 24),
                       .committed = loadBigEndian<std::uint64_t>(file.data() + 32)};
  std::memcpy(header.boot.data(), file.data() + kBootBegin, header.boot.size());
  return header;
}

SegmentScan scanSegment(
    std::string_view file, std::uint64_t first, std::uint64_t end,
    const std::function<void(std::uint64_t first, std::string_view records)>& visit) {
  SegmentScan scan{.next = first, .bytes = kSegmentHeaderBytes};
  std::uint64_t chunkFirst = first;
  std::size_t chunkBegin = kSegmentHeaderBytes;
  const auto passChunk = [&] {
    if (scan.next > chunkFirst) {
      visit(chunkFirst, file.substr(chunkBegin, scan.bytes - chunkBegin));
    }
    chunkFirst = scan.next;
    chunkBegin = scan.bytes;
  };
  while (scan.next < end && scan.bytes < file.size()) {
    const RecordRead read = readRecord(file.substr(scan.bytes));
    scan.verdict = read.verdict;
    if (read.verdict != RecordVerdict::Ok) break;
    scan.bytes += read.bytes;
    ++scan.next;
    if (scan.bytes - chunkBegin >= kChunkBytes) passChunk();
  }
  passChunk();
  return scan;
}

}  // namespace stormo::channel
