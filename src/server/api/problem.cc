#include "server/api/problem.h"

#include <utility>

namespace stormo::server::api {

Value Problem::value() const {
  Value error = Value::object({{"code", code}, {"message", message}});
  if (!field.empty()) error.set("field", field);
  return Value::object({{"error", std::move(error)}});
}

Problem invalidField(std::string field, std::string message) {
  return {.status = 400,
          .code = "invalid_field",
          .message = std::move(message),
          .field = std::move(field)};
}

Problem unavailable(std::string message) {
  return {.status = 503, .code = "unavailable", .message = std::move(message)};
}

}  // namespace stormo::server::api
