#include "process/privileges.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

#include "sys/error_text.h"

namespace stormo::process {
namespace {

[[noreturn]] void refuse(const Role& role, const std::string& why) {
  throw std::runtime_error(fmt::format("{} ({} '{}')", why, kindText(role.kind), role.name));
}

}  // namespace

std::optional<Identity> identityOf(const Role& role) {
  if (role.user.empty() && role.group.empty()) return std::nullopt;
  Identity identity{.user = role.user, .uid = ::geteuid(), .gid = ::getegid()};
  if (!role.user.empty()) {
    const passwd* entry = ::getpwnam(role.user.c_str());
    if (entry == nullptr)
      refuse(role, fmt::format("cannot run as user '{}': no such user", role.user));
    identity.uid = entry->pw_uid;
    identity.gid = entry->pw_gid;
  }
  if (!role.group.empty()) {
    const ::group* entry = ::getgrnam(role.group.c_str());
    if (entry == nullptr) {
      refuse(role, fmt::format("cannot run as group '{}': no such group", role.group));
    }
    identity.gid = entry->gr_gid;
  }
  if (identity.uid == ::geteuid() && identity.gid == ::getegid()) return std::nullopt;
  if (::geteuid() != 0) {
    refuse(role, fmt::format("cannot run as '{}': only root may change user (start as root, or set "
                             "no user)",
                             role.user.empty() ? role.group : role.user));
  }
  return identity;
}

void become(const Identity& identity) {
  const bool done =
      (identity.user.empty() || ::initgroups(identity.user.c_str(), identity.gid) == 0) &&
      ::setgid(identity.gid) == 0 && ::setuid(identity.uid) == 0;
  if (!done) {
    throw std::runtime_error(
        fmt::format("cannot become user '{}': {}", identity.user, errorText(errno)));
  }
}

std::string ownUserName() {
  const passwd* entry = ::getpwuid(::geteuid());
  return entry == nullptr ? fmt::format("{}", ::geteuid()) : entry->pw_name;
}

uid_t userId(const std::string& name) {
  const passwd* entry = ::getpwnam(name.c_str());
  if (entry == nullptr) throw std::runtime_error(fmt::format("no such user: '{}'", name));
  return entry->pw_uid;
}

gid_t groupId(const std::string& name) {
  const ::group* entry = ::getgrnam(name.c_str());
  if (entry == nullptr) throw std::runtime_error(fmt::format("no such group: '{}'", name));
  return entry->gr_gid;
}

}  // namespace stormo::process
