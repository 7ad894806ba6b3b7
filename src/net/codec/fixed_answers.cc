#include "net/codec/fixed_answers.h"

namespace stormo::net {
namespace {

FixedAnswer health(int status, std::string_view state) {
  return {.status = status,
          .contentType = "application/json",
          .body = "{\"status\":\"" + std::string(state) + "\"}\n",
          .headers = {{"Cache-Control", "no-store"}}};
}

bool isGetOrHead(const HttpRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}

}  // namespace

std::optional<FixedAnswer> healthAnswer(const HttpRequest& request, std::string_view problem) {
  const bool isOptions = request.method == "OPTIONS";
  if (!isOptions && !isGetOrHead(request)) return std::nullopt;
  if (request.path == "/health") return health(200, "alive");
  if (request.path != "/ready" && !(isOptions && request.path == "/")) return std::nullopt;
  return problem.empty() ? health(200, "ready") : health(503, problem);
}

std::optional<FixedAnswer> pageAnswer(const WebSocketOptions& options, const HttpRequest& request) {
  if (!isGetOrHead(request)) return std::nullopt;
  const auto page = options.pages.find(request.path);
  if (page == options.pages.end()) return std::nullopt;
  return FixedAnswer{200, page->second.contentType, page->second.body, page->second.headers};
}

FixedAnswer noPageAnswer(const HttpRequest& request) {
  if (isGetOrHead(request)) return {404, "text/plain", "no such page\n"};
  return {405, "text/plain", "only GET and HEAD\n", {{"Allow", "GET, HEAD"}}};
}

}  // namespace stormo::net
