#pragma once

#include <string_view>

/// What the backend of a site (stormo::Backend, and PHP programs) and the processes with clients
/// say to each other, as events of the Channel with Values. docs/control.md describes all fields.
namespace stormo::server {

/// {cmd: "join" | "leave" | "disconnect" | "info", user: id | client: id | all: true, group: name,
/// code: number, reason: text, info: JSON text}
inline constexpr std::string_view kControlEvent = "stormo.control";

/// Retained: {user: id | token: id, issued_before: seconds (absent: all), until: seconds}
inline constexpr std::string_view kRevocationEvent = "stormo.revoked";

/// Requested of all: {ask: "groups" | "users" | "clients" | "totals", pattern, after, limit, and
/// for "clients" group | user | client | all}. Replies:
/// groups, users: {items: [{name, clients}], more: bool}
/// clients: {items: [{id, user, info, address, protocol, connected_at, groups: [name]}], more:
/// bool} totals: {clients, users, groups}
inline constexpr std::string_view kQuestionEvent = "stormo.ask";

}  // namespace stormo::server
