#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stormo::channel {

/// The names of a log's files: an offset as 20 decimal digits, so that `ls` sorts them, and an
/// ending.
[[nodiscard]] std::string offsetName(std::uint64_t offset, std::string_view ending);
[[nodiscard]] std::optional<std::uint64_t> offsetInName(std::string_view name,
                                                        std::string_view ending);

/// The file with the identity of a node: its directory is of a cluster's log.
inline constexpr const char* kNodeName = "node";

/// The ending of files that are being written. Whatever has it is removed at the next start.
inline constexpr std::string_view kTemporaryEnding = ".tmp";

}  // namespace stormo::channel
