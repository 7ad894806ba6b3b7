#pragma once

#include <string_view>

namespace stormo::server::api {

/// docs/openapi.json.
extern const std::string_view kOpenApi;

}  // namespace stormo::server::api
