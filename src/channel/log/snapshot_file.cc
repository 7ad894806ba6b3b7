#include "channel/log/snapshot_file.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "channel/log/offset_name.h"

namespace stormo::channel {
namespace {

constexpr std::string_view kEnding = ".snapshot";
constexpr std::uint64_t kMagic = 0x53746f726d536e70;  // "StormSnp"
constexpr std::uint64_t kVersion = 3;
constexpr std::size_t kChecksumBytes = 4;

}  // namespace

std::string snapshotName(std::uint64_t offset) { return offsetName(offset, kEnding); }

std::optional<std::uint64_t> offsetOfSnapshotName(std::string_view name) {
  return offsetInName(name, kEnding);
}

std::optional<Snapshot> readSnapshot(std::string_view file) {
  if (file.size() < kSnapshotHeaderBytes + kSnapshotTrailerBytes) return std::nullopt;
  const std::string_view checked = file.substr(0, file.size() - kChecksumBytes);
  const std::uint64_t bytesBefore = file.size() - kSnapshotTrailerBytes;
  if (loadBigEndian<std::uint64_t>(file.data()) != kMagic ||
      loadBigEndian<std::uint64_t>(file.data() + 8) != kVersion ||
      loadBigEndian<std::uint64_t>(file.data() + bytesBefore) != bytesBefore ||
      loadBigEndian<std::uint32_t>(file.data() + checked.size()) != crc32c(checked)) {
    return std::nullopt;
  }
  return Snapshot{.epoch = loadBigEndian<std::uint64_t>(file.data() + 16),
                  .offset = loadBigEndian<std::uint64_t>(file.data() + 24),
                  .state = file.substr(kSnapshotHeaderBytes, bytesBefore - kSnapshotHeaderBytes)};
}

void writeSnapshotHeader(std::uint64_t epoch, std::uint64_t offset, StateWriter& out) {
  out.number(kMagic);
  out.number(kVersion);
  out.number(epoch);
  out.number(offset);
}

std::uint64_t writeWithTrailer(const std::function<void(StateWriter&)>& write,
                               const std::function<void(std::string_view bytes)>& sink) {
  std::uint64_t bytes = 0;
  std::uint32_t checksum = 0;
  const auto pass = [&](std::string_view piece) {
    bytes += piece.size();
    checksum = crc32c(piece, checksum);
    sink(piece);
  };
  {
    StateWriter out(pass);
    write(out);
    out.flush();
    out.number(bytes);
  }
  char end[kChecksumBytes];
  storeBigEndian(end, checksum);
  sink({end, kChecksumBytes});
  return bytes + kChecksumBytes;
}

}  // namespace stormo::channel
