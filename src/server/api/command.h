#pragma once

#include <stormo/audience.h>
#include <stormo/backend.h>
#include <stormo/close_code.h>
#include <stormo/value.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/api/problem.h"

namespace stormo::server::api {

/// One command of a request, with fields that are valid.
struct Command {
  enum class Kind { Publish, Join, Leave, Disconnect, Info, Revoke };

  Kind kind = Kind::Publish;
  /// Publish: whom it is for; with a pattern, the groups that match it, once they are known.
  /// Others but Revoke: exactly one.
  std::vector<Audience> to = {};
  std::string pattern = {};  ///< Publish. Empty: none.
  bool isList = false;       ///< Publish: to a list or a pattern, with an answer for each group.
  std::string message = {};
  bool isBinary = false;
  std::vector<Audience> except = {};
  std::string group = {};  ///< Join, Leave.
  CloseCode code = CloseCode::PolicyViolation;
  std::string reason = {};
  std::string info = {};
  Backend::Revocation revocation = {};

  /// About the bytes that wait for an acknowledgement while it is on its way.
  [[nodiscard]] std::size_t bytes() const;
};

inline constexpr std::size_t kGroupsMax = 1000;    ///< Of one publish.
inline constexpr std::size_t kCommandsMax = 1000;  ///< Of one batch.

/// "publish" and so on, as in /v1/publish and as the `cmd` of a batch.
[[nodiscard]] std::optional<Command::Kind> commandNamed(std::string_view name);

using CommandOrProblem = std::variant<Command, Problem>;
using CommandsOrProblem = std::variant<std::vector<Command>, Problem>;

/// The command in the body of a request. `now`: seconds since 1970.
[[nodiscard]] CommandOrProblem readCommand(Command::Kind kind, std::string_view body,
                                           std::int64_t now);
/// The commands of a batch: {"commands": [{"cmd": "publish", …}, …]}.
[[nodiscard]] CommandsOrProblem readBatch(std::string_view body, std::int64_t now);

}  // namespace stormo::server::api
