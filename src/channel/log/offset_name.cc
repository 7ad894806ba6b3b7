#include "channel/log/offset_name.h"

#include <fmt/format.h>

#include <charconv>

namespace stormo::channel {
namespace {

constexpr std::size_t kDigits = 20;

}  // namespace

std::string offsetName(std::uint64_t offset, std::string_view ending) {
  return fmt::format("{:020}{}", offset, ending);
}

std::optional<std::uint64_t> offsetInName(std::string_view name, std::string_view ending) {
  if (name.size() != kDigits + ending.size() || !name.ends_with(ending)) return std::nullopt;
  std::uint64_t offset = 0;
  const char* const end = name.data() + kDigits;
  const auto [at, error] = std::from_chars(name.data(), end, offset);
  if (error != std::errc() || at != end) return std::nullopt;
  return offset;
}

}  // namespace stormo::channel
