#pragma once

#include <stormo/http.h>
#include <stormo/value.h>

#include "server/api/problem.h"

namespace stormo::server::api {

/// Answers with JSON. The same answer is never given twice: see PendingResponse.
void answer(const PendingResponse& response, int status, const Value& body);
/// The problem as body, with the header that belongs to its status.
void answer(const PendingResponse& response, const Problem& problem);
/// The same with further members beside "error".
void answer(const PendingResponse& response, const Problem& problem, Value body);

}  // namespace stormo::server::api
