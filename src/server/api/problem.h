#pragma once

#include <stormo/value.h>

#include <string>
#include <string_view>

namespace stormo::server::api {

/// Why a request, or one command of a batch, is refused. docs/api.md lists the codes.
struct Problem {
  int status = 400;
  std::string_view code = "invalid_request";  ///< A literal.
  std::string message;                        ///< A sentence for the developer.
  std::string field = {};                     ///< "commands[2].group"; empty: none is wrong.

  /// {"error": {"code", "message", "field"}}
  [[nodiscard]] Value value() const;
};

[[nodiscard]] Problem invalidField(std::string field, std::string message);
[[nodiscard]] Problem unavailable(std::string message);

}  // namespace stormo::server::api
