#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "server/api/command.h"
#include "server/api/keys.h"
#include "server/api/problem.h"

namespace stormo::server::api {

/// What a path of the API names.
struct Route {
  enum class Endpoint {
    Command,  ///< One of the six: `command`.
    Batch,
    Groups,
    Group,         ///< `name`, as for the next two.
    GroupClients,  ///< The members.
    GroupHistory,
    Users,
    User,
    Clients,
    Client,
    Stats,
    OpenApi,
  };

  Endpoint endpoint = Endpoint::Stats;
  Command::Kind command = Command::Kind::Publish;
  std::string name = {};  ///< Percent-decoded.

  [[nodiscard]] bool isPost() const {
    return endpoint == Endpoint::Command || endpoint == Endpoint::Batch;
  }
  /// What a key needs for it; nothing: OpenApi needs none, and Batch what each command needs.
  [[nodiscard]] std::optional<Right> right() const;
};

[[nodiscard]] Right rightFor(Command::Kind command);

/// The route of a path that begins with "/v1/", or the 404 or 400 that it deserves.
[[nodiscard]] std::variant<Route, Problem> routeOf(std::string_view path);

}  // namespace stormo::server::api
