#pragma once

#include <stormo/websocket.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stormo::net {

/// An answer to a plain request that needs no handler.
struct FixedAnswer {
  int status;
  std::string contentType;
  std::string body;
  std::vector<HttpHeader> headers = {};
};

/// The answer to a health check of a load balancer; nullopt if the request is none. GET, HEAD and
/// OPTIONS of /health get 200; those of /ready 200 if `problem` is empty, else 503. OPTIONS of /,
/// HAProxy's default check, is answered like /ready.
std::optional<FixedAnswer> healthAnswer(const HttpRequest& request, std::string_view problem);

/// The page of that path, for GET and HEAD; nullopt if there is none.
std::optional<FixedAnswer> pageAnswer(const WebSocketOptions& options, const HttpRequest& request);

/// The answer to a request without a page: 404, or 405 for other methods than GET and HEAD.
FixedAnswer noPageAnswer(const HttpRequest& request);

}  // namespace stormo::net
