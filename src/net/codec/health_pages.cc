#include "net/codec/health_pages.h"

#include "protocol/http/http_response.h"

namespace stormo::net {
namespace {

std::string answer(int status, std::string_view state, bool isHead) {
  const std::string body = "{\"status\":\"" + std::string(state) + "\"}\n";
  return httpResponse(status, "application/json", body, isHead, {{"Cache-Control", "no-store"}});
}

}  // namespace

std::optional<std::string> healthAnswer(const HttpRequest& request, std::string_view problem) {
  const bool isHead = request.method == "HEAD";
  const bool isOptions = request.method == "OPTIONS";
  if (!isHead && !isOptions && request.method != "GET") return std::nullopt;
  if (request.path == "/health") return answer(200, "alive", isHead);
  if (request.path != "/ready" && !(isOptions && request.path == "/")) return std::nullopt;
  return problem.empty() ? answer(200, "ready", isHead) : answer(503, problem, isHead);
}

}  // namespace stormo::net
