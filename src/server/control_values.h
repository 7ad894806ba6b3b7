#pragma once

#include <stormo/audience.h>
#include <stormo/backend.h>
#include <stormo/value.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The backend's side of the events in control.h: Values from arguments, and results from replies.
namespace stormo::server {

/// {cmd, user | client | all}. Throws std::invalid_argument for a group: commands are for clients.
[[nodiscard]] Value commandFor(const Audience& who, std::string_view command);

[[nodiscard]] Value revocationValue(const Backend::Revocation& revocation);
/// The same for each revocation of that user or token.
[[nodiscard]] std::uint64_t revocationKey(const Backend::Revocation& revocation);

/// GroupMessage::except. Throws std::invalid_argument for anything but users and clients, and if
/// they do not fit.
[[nodiscard]] std::string exceptionsText(const std::vector<Audience>& except);

/// {ask, pattern, after, limit}. Throws std::invalid_argument if the limit is not 1 to 1000.
[[nodiscard]] Value questionFor(std::string_view ask, const Backend::Page& page);
/// Adds the field that states whose clients are asked for.
void addAudience(const Audience& of, Value& question);

// One page made of the pages of all processes. What a malformed reply says is left out, and the
// result is not complete then.

[[nodiscard]] Backend::Counts mergeCounts(const Replies& replies, std::size_t limit);
[[nodiscard]] Backend::Clients mergeClients(const Replies& replies, std::size_t limit);
[[nodiscard]] Backend::Totals mergeTotals(const Replies& replies);

}  // namespace stormo::server
