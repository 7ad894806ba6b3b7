#include "integration/harness/full_disk.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

namespace stormo::integration {
namespace {

/// Size of the largest segment that the process has open.
std::optional<std::uint64_t> segmentBytes(pid_t pid) {
  std::optional<std::uint64_t> bytes;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    std::error_code error;
    const auto target = std::filesystem::read_symlink(entry.path(), error);
    const std::string stem = target.stem().string();
    const bool isNumber =
        !stem.empty() && std::ranges::all_of(stem, [](char c) { return c >= '0' && c <= '9'; });
    if (error || target.extension() != ".log" || !isNumber) continue;
    bytes = std::max(bytes.value_or(0), std::uint64_t{std::filesystem::file_size(target)});
  }
  return bytes;
}

}  // namespace

FullDisk::FullDisk(pid_t channel, std::uint64_t roomBytes) : channel_(channel) {
  const auto bytes = segmentBytes(channel);
  if (!bytes) throw std::runtime_error("the Channel has no segment open");
  rlimit limit{};
  if (::prlimit(channel, RLIMIT_FSIZE, nullptr, &former_) == 0) {
    limit = {.rlim_cur = *bytes + roomBytes, .rlim_max = former_.rlim_max};
    if (::prlimit(channel, RLIMIT_FSIZE, &limit, nullptr) == 0) return;
  }
  throw std::system_error(errno, std::generic_category(), "prlimit");
}

FullDisk::~FullDisk() { ::prlimit(channel_, RLIMIT_FSIZE, &former_, nullptr); }

}  // namespace stormo::integration
