#pragma once

#include <stormo/channel.h>
#include <stormo/http.h>
#include <stormo/http_request.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "server/api/problem.h"

namespace stormo::server::api {

/// The part of a history that a query asks for.
struct HistoryQuery {
  std::size_t limit = 100;
  /// `since`, with its `epoch`, if that is stated. Nothing: the latest messages.
  std::optional<std::uint64_t> since = {};
  std::optional<std::uint64_t> epoch = {};
};

[[nodiscard]] std::variant<HistoryQuery, Problem> readHistoryQuery(const HttpRequest& request);

/// {"name", "epoch", "offset", "messages", "more", "complete"} of a reply. `isWhole`: it has all
/// messages since the position that was asked for.
[[nodiscard]] Value historyValue(const std::string& group, const HistoryQuery& query,
                                 const HistoryReply& reply);

/// Answers with the history of a group.
void askForHistory(Channel& channel, const std::string& group, const HistoryQuery& query,
                   const PendingResponse& response);

}  // namespace stormo::server::api
