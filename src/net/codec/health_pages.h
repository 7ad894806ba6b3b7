#pragma once

#include <stormo/http_request.h>

#include <optional>
#include <string>
#include <string_view>

namespace stormo::net {

/// The answer to a health check of a load balancer, which closes the connection afterwards; nullopt
/// if the request is none. GET, HEAD and OPTIONS of /health get 200; those of /ready 200 if
/// `problem` is empty, else 503. OPTIONS of /, HAProxy's default check, is answered like /ready.
std::optional<std::string> healthAnswer(const HttpRequest& request, std::string_view problem);

}  // namespace stormo::net
