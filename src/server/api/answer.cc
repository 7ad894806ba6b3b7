#include "server/api/answer.h"

#include <stormo/json.h>

#include <utility>

namespace stormo::server::api {

void answer(const PendingResponse& response, int status, const Value& body) {
  response.addHeader("Cache-Control", "no-store");
  response.answer(status, toJson(body) + '\n', "application/json");
}

void answer(const PendingResponse& response, const Problem& problem) {
  answer(response, problem, Value::object());
}

void answer(const PendingResponse& response, const Problem& problem, Value body) {
  if (problem.status == 401) response.addHeader("WWW-Authenticate", "Bearer realm=\"stormo\"");
  if (problem.status == 503) response.addHeader("Retry-After", "1");
  Value whole = problem.value();
  for (const auto& [key, element] : body) whole.set(key, element);
  answer(response, problem.status, whole);
}

}  // namespace stormo::server::api
