#include "process/role_group.h"

#include <fcntl.h>
#include <sys/sendfile.h>

#include <cerrno>
#include <stdexcept>

#include "process/instance.h"
#include "sys/error_text.h"
#include "sys/log.h"

namespace stormo::process {
namespace {

UniqueFd openStateFile(const std::string& path) {
  if (path.empty()) return {};
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid()) {
    throw std::runtime_error("cannot open " + path + ": " + errorText(errno));
  }
  return file;
}

}  // namespace

RoleGroup::RoleGroup(Role& described, const Timeouts& timeouts, SlotOwner& owner,
                     const Instance& instance)
    : role(described),
      sockets(described, instance),
      stateFile(openStateFile(described.stateFile)),
      cover(described.count) {
  for (int i = 0; i < role.count; ++i) {
    slots.push_back(std::make_unique<Slot>(role, i, timeouts, owner));
  }
}

void RoleGroup::keepState() const {
  if (!stateFile.valid() || isFileAt(role.stateFile, stateFile.get())) return;
  const UniqueFd again(
      ::open(role.stateFile.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  off_t offset = 0;
  ssize_t copied = -1;
  if (again.valid()) {
    do {
      copied = ::sendfile(again.get(), stateFile.get(), &offset, std::size_t{1} << 30);
    } while (copied > 0);
  }
  if (copied < 0) {
    log::error("cannot save the state for the next start path=\"{}\" reason=\"{}\"", role.stateFile,
               errorText(errno));
  }
}

void RoleGroup::abandon() {
  sockets.abandon();
  stateFile.reset();
}

}  // namespace stormo::process
