#include "process/role_group.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <utility>

#include "process/instance.h"
#include "process/privileges.h"
#include "sys/error_text.h"

namespace stormo::process {
namespace {

UniqueFd openStateDirectory(const Role& role) {
  const std::string& path = role.stateDirectory;
  if (path.empty()) return {};
  const auto fail = [&path](const char* what) {
    throw std::runtime_error(std::string(what) + " " + path + ": " + errorText(errno));
  };
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) fail("cannot create");
  UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!directory.valid()) fail("cannot open");
  if (const auto identity = identityOf(role)) {
    if (::fchown(directory.get(), identity->uid, identity->gid) != 0) fail("cannot hand over");
  }
  return directory;
}

}  // namespace

RoleGroup::RoleGroup(Role& described, const Timeouts& timeouts, SlotOwner& owner,
                     const Instance& instance, PassedSockets& passed)
    : role(described),
      sockets(described, instance, &passed),
      stateDirectory(openStateDirectory(described)),
      cover(described.count) {
  for (int i = 0; i < role.count; ++i) {
    slots.push_back(std::make_unique<Slot>(role, i, false, timeouts, owner));
    spares.push_back(std::make_unique<Slot>(role, i, true, timeouts, owner));
  }
}

bool RoleGroup::hasStateDirectory() const {
  return !stateDirectory.valid() || isFileAt(role.stateDirectory, stateDirectory.get());
}

void RoleGroup::restoreStateDirectory() {
  if (!hasStateDirectory()) stateDirectory = openStateDirectory(role);
}

void Place::promote() const {
  group->spares[index]->promote(*group->slots[index]);
  std::swap(group->slots[index], group->spares[index]);
}

void RoleGroup::abandon() {
  sockets.abandon();
  stateDirectory.reset();
}

}  // namespace stormo::process
