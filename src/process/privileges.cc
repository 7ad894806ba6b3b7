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

[[noreturn]] void refuse(const Kind& kind, const std::string& why) {
  throw std::runtime_error(fmt::format("{} ({} '{}')", why, kind.kind, kind.name));
}

}  // namespace

std::optional<Identity> identityOf(const Kind& kind) {
  if (kind.user.empty() && kind.group.empty()) return std::nullopt;
  Identity identity{.user = kind.user, .uid = ::geteuid(), .gid = ::getegid()};
  if (!kind.user.empty()) {
    const passwd* entry = ::getpwnam(kind.user.c_str());
    if (entry == nullptr)
      refuse(kind, fmt::format("cannot run as user '{}': no such user", kind.user));
    identity.uid = entry->pw_uid;
    identity.gid = entry->pw_gid;
  }
  if (!kind.group.empty()) {
    const ::group* entry = ::getgrnam(kind.group.c_str());
    if (entry == nullptr) {
      refuse(kind, fmt::format("cannot run as group '{}': no such group", kind.group));
    }
    identity.gid = entry->gr_gid;
  }
  if (identity.uid == ::geteuid() && identity.gid == ::getegid()) return std::nullopt;
  if (::geteuid() != 0) {
    refuse(kind, fmt::format("cannot run as '{}': only root may change user (start as root, or set "
                             "no user)",
                             kind.user.empty() ? kind.group : kind.user));
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

}  // namespace stormo::process
