#include "channel/cluster/node_identity.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "channel/log/offset_name.h"
#include "channel/log/whole_write.h"
#include "sys/log.h"
#include "sys/random_id.h"

namespace stormo::channel {
namespace {

// "StormNod" | u64 version | u64 id | u32 CRC-32C of all before it
constexpr std::string_view kMagic = "StormNod";
constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kIdBegin = 16;
constexpr std::size_t kChecksumBegin = 24;
constexpr std::size_t kBytes = 28;

std::string encode(NodeId id) {
  std::string file(kBytes, '\0');
  kMagic.copy(file.data(), kMagic.size());
  storeBigEndian(file.data() + kMagic.size(), kVersion);
  storeBigEndian(file.data() + kIdBegin, id);
  storeBigEndian(file.data() + kChecksumBegin,
                 crc32c(std::string_view(file).substr(0, kChecksumBegin)));
  return file;
}

/// 0 if the file is damaged.
NodeId read(std::string_view file) {
  if (file.size() != kBytes) return 0;
  const auto id = loadBigEndian<std::uint64_t>(file.data() + kIdBegin);
  return file == encode(id) ? id : 0;
}

Result<void> write(LogDirectory& directory, NodeId id) {
  const std::string temporary = kNodeName + std::string(kTemporaryEnding);
  (void)directory.remove(temporary);  // of a process that has died
  const auto file = directory.create(temporary);
  if (!file) return file.error();
  if (const auto written = writeWhole(*file.value(), 0, encode(id)); !written) return written;
  if (const auto synced = file.value()->sync(); !synced) return synced;
  if (const auto named = directory.rename(temporary, kNodeName); !named) return named;
  return directory.sync();
}

}  // namespace

Result<NodeId> nodeIdentity(LogDirectory& directory) {
  const auto entries = directory.list();
  if (!entries) return entries.error();
  if (std::ranges::find(entries.value(), kNodeName, &LogDirectory::Entry::name) !=
      entries.value().end()) {
    const auto file = directory.read(kNodeName);
    if (!file) return file.error();
    if (const NodeId id = read(file.value().bytes()); id != 0) return id;
    log::warning("the node's identity is damaged, and it takes a new one directory=\"{}\"",
                 directory.path());
  }
  const NodeId id = randomId();
  if (const auto written = write(directory, id); !written) return written.error();
  return id;
}

}  // namespace stormo::channel
