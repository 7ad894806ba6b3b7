#pragma once

#include <stormo/audience.h>
#include <stormo/close_code.h>
#include <stormo/value.h>

#include <cstdint>
#include <optional>
#include <string>

namespace stormo::server {

/// A command of the backend: an event kControlEvent. docs/control.md describes its fields.
struct BackendCommand {
  enum class What : std::uint8_t { Join, Leave, Disconnect, Info };
  What what;
  Audience who;
  std::string group = {};                       ///< Of Join and Leave.
  CloseCode code = CloseCode::PolicyViolation;  ///< Of Disconnect.
  std::string reason = {};                      ///< Of Disconnect.
  std::string info = {};                        ///< Of Info: see infoOf().
};

/// The audience that `user`, `client` or `all` names, of which exactly one is given: a string, an
/// integer for its decimal text, or true. Nothing otherwise; `wrong` is then a sentence.
[[nodiscard]] std::optional<Audience> audienceIn(const Value& fields, std::string& wrong);
/// Nothing if the data, which may come from anywhere, are no command. `wrong` is then a sentence.
[[nodiscard]] std::optional<BackendCommand> commandOf(const Value& data, std::string& wrong);

}  // namespace stormo::server
