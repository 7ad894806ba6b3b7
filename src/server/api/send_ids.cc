#include "server/api/send_ids.h"

#include <algorithm>

#include "access/sha256.h"

namespace stormo::server::api {
namespace {

constexpr std::size_t kKeyBytesMax = 255;

/// Never 0, which is no session.
std::uint64_t sessionOf(std::string_view text) {
  const std::uint64_t session = access::sha256Start(text);
  return session == 0 ? 1 : session;
}

}  // namespace

SendIds::SendIds(std::string_view apiKeyName, std::string_view idempotencyKey) {
  // No name has a zero byte, so different pairs give different texts.
  seed_.append("stormo-api").push_back('\0');
  seed_.append(apiKeyName).push_back('\0');
  seed_.append(idempotencyKey).push_back('\0');
  last_.session = sessionOf(seed_);
}

SendId SendIds::next() {
  if (seed_.empty()) return {};
  ++last_.number;
  return last_;
}

SendId SendIds::ofMatch(std::size_t command, std::string_view group) const {
  if (seed_.empty()) return {};
  std::string text = seed_ + std::to_string(command);
  text.push_back('\0');
  text.append(group);
  return {.session = sessionOf(text), .number = 1};
}

std::optional<Problem> complaintOfIdempotencyKey(std::string_view value) {
  const bool isPrintable = std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; });
  if (!value.empty() && value.size() <= kKeyBytesMax && isPrintable) return std::nullopt;
  return invalidField("Idempotency-Key",
                      "the header Idempotency-Key must have 1 to 255 printable ASCII characters");
}

}  // namespace stormo::server::api
