#pragma once

#include <stormo/result.h>

#include <cstdint>
#include <string_view>

#include "channel/log/log_directory.h"

namespace stormo::channel {

/// Writes all of `bytes`, in as many system calls as that takes.
[[nodiscard]] inline Result<void> writeWhole(LogFile& file, std::uint64_t at,
                                             std::string_view bytes) {
  while (!bytes.empty()) {
    const Result<std::size_t> written = file.write(at, bytes);
    if (!written) return written.error();
    at += written.value();
    bytes.remove_prefix(written.value());
  }
  return {};
}

}  // namespace stormo::channel
