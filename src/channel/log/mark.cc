#include "channel/log/mark.h"

#include <cstring>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "channel/log/offset_name.h"
#include "channel/log/whole_write.h"

namespace stormo::channel {
namespace {

constexpr std::uint64_t kMagic = 0x53746f726d4d726b;  // "StormMrk"
constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kBootBegin = 40;
constexpr std::size_t kPolicyBegin = 56;
constexpr std::size_t kChecksumBegin = 64;
// The rest changes while the log is open, each by one store of eight aligned bytes.
constexpr std::size_t kOffsetBegin = 72;
constexpr std::size_t kCleanBegin = 80;
constexpr std::size_t kSyncFromBegin = 88;

Result<void> writeNumber(LogFile& file, std::size_t at, std::uint64_t number) {
  char bytes[sizeof number];
  storeBigEndian(bytes, number);
  return writeWhole(file, at, {bytes, sizeof bytes});
}

}  // namespace

std::string encodeMark(const MarkContent& content) {
  std::string out(kMarkBytes, '\0');
  storeBigEndian(out.data(), kMagic);
  storeBigEndian(out.data() + 8, kVersion);
  storeBigEndian(out.data() + 16, content.epoch);
  storeBigEndian(out.data() + 24, content.identity.inode);
  storeBigEndian(out.data() + 32, content.identity.bornNs);
  std::memcpy(out.data() + kBootBegin, content.boot.data(), content.boot.size());
  storeBigEndian(out.data() + kPolicyBegin, static_cast<std::uint64_t>(content.policy));
  storeBigEndian(out.data() + kChecksumBegin,
                 crc32c(std::string_view(out).substr(0, kChecksumBegin)));
  storeBigEndian(out.data() + kOffsetBegin, content.offset);
  storeBigEndian(out.data() + kCleanBegin, std::uint64_t{content.clean});
  storeBigEndian(out.data() + kSyncFromBegin, content.syncFrom);
  return out;
}

std::optional<MarkContent> readMark(std::string_view file) {
  if (file.size() != kMarkBytes || loadBigEndian<std::uint64_t>(file.data()) != kMagic ||
      loadBigEndian<std::uint64_t>(file.data() + 8) != kVersion ||
      loadBigEndian<std::uint32_t>(file.data() + kChecksumBegin) !=
          crc32c(file.substr(0, kChecksumBegin))) {
    return std::nullopt;
  }
  const auto policy = loadBigEndian<std::uint64_t>(file.data() + kPolicyBegin);
  if (policy > static_cast<std::uint64_t>(SyncPolicy::Always)) return std::nullopt;
  MarkContent content{
      .epoch = loadBigEndian<std::uint64_t>(file.data() + 16),
      .identity = {.inode = loadBigEndian<std::uint64_t>(file.data() + 24),
                   .bornNs = loadBigEndian<std::uint64_t>(file.data() + 32)},
      .policy = static_cast<SyncPolicy>(policy),
      .offset = loadBigEndian<std::uint64_t>(file.data() + kOffsetBegin),
      .clean = loadBigEndian<std::uint64_t>(file.data() + kCleanBegin) == 1,
      .syncFrom = loadBigEndian<std::uint64_t>(file.data() + kSyncFromBegin),
  };
  std::memcpy(content.boot.data(), file.data() + kBootBegin, content.boot.size());
  return content;
}

Result<void> raiseMark(LogFile& file, std::uint64_t offset) {
  if (const auto written = writeNumber(file, kOffsetBegin, offset); !written) return written;
  return file.sync();
}

Result<void> noteSync(LogFile& file, std::uint64_t from) {
  return writeNumber(file, kSyncFromBegin, from);
}

Result<Mark> Mark::create(LogDirectory& directory, MarkContent content) {
  const std::string temporary = kMarkName + std::string(kTemporaryEnding);
  auto file = directory.create(temporary);
  if (!file) return file.error();
  const auto identity = (*file)->identity();
  if (!identity) return identity.error();
  content.identity = identity.value();
  // Written, not stored: a store into a file that has no place on a full disk would end the
  // process.
  if (const auto written = writeWhole(**file, 0, encodeMark(content)); !written) {
    return written.error();
  }
  auto memory = (*file)->map(kMarkBytes);
  if (!memory) return memory.error();
  if (const auto synced = (*file)->sync(); !synced) return synced.error();
  if (const auto renamed = directory.rename(temporary, kMarkName); !renamed) {
    return renamed.error();
  }
  if (const auto synced = directory.sync(); !synced) return synced.error();
  return Mark(std::move(*file), std::move(*memory));
}

void Mark::setOffset(std::uint64_t offset) { store(kOffsetBegin, offset); }

void Mark::setSyncFrom(std::uint64_t offset) { store(kSyncFromBegin, offset); }

void Mark::setClean() { store(kCleanBegin, 1); }

void Mark::store(std::size_t at, std::uint64_t number) {
  char bytes[sizeof number];
  storeBigEndian(bytes, number);
  std::memcpy(&number, bytes, sizeof number);
  // One store: the process may end, and the kernel may write the page, between any two.
  __atomic_store_n(reinterpret_cast<std::uint64_t*>(memory_.get() + at), number, __ATOMIC_RELEASE);
}

}  // namespace stormo::channel
