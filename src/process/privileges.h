#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "process/program.h"

namespace stormo::process {

/// Who a role's children become.
struct Identity {
  std::string user;
  uid_t uid;
  gid_t gid;
};

/// Looks the role's user and group up. Nothing if they are empty or what we are already. Throws
/// std::runtime_error if one is unknown, or if we are not root.
std::optional<Identity> identityOf(const Role& role);

/// Becomes it, for good: groups, group, user. Throws std::runtime_error.
void become(const Identity& identity);

/// The name of the user who runs this process.
std::string ownUserName();

/// The id of a user by name. Throws std::runtime_error.
uid_t userId(const std::string& name);

}  // namespace stormo::process
