#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "process/program.h"

namespace stormo::process {

/// The user and group that a role's children become.
struct Identity {
  std::string user;
  uid_t uid;
  gid_t gid;
};

/// Looks up the role's user and group. Empty if the role names none, or those of this process.
/// Throws std::runtime_error if one is unknown, or if this process is not root.
std::optional<Identity> identityOf(const Role& role);

/// Changes this process's groups, group and user permanently. Throws std::runtime_error.
void become(const Identity& identity);

/// The name of this process's user.
std::string ownUserName();

/// The id of the user of that name. Throws std::runtime_error.
uid_t userId(const std::string& name);

/// The id of the group of that name. Throws std::runtime_error.
gid_t groupId(const std::string& name);

}  // namespace stormo::process
