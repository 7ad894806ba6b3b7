#pragma once

#include <stormo/backend.h>
#include <stormo/http.h>
#include <stormo/http_request.h>

#include <variant>

#include "server/api/problem.h"
#include "server/api/route.h"

namespace stormo::server::api {

/// The page that a query asks for: `pattern`, `after`, `limit`.
[[nodiscard]] std::variant<Backend::Page, Problem> readPage(const HttpRequest& request);

/// Answers the GET endpoints but for histories, when all processes with clients have replied, or
/// have not in time.
void ask(Backend& backend, const Route& route, const HttpRequest& request,
         const PendingResponse& response);

[[nodiscard]] Value clientValue(const Backend::Client& client);

}  // namespace stormo::server::api
