#include "process/kind_group.h"

#include <fcntl.h>

#include <cerrno>
#include <stdexcept>

#include "process/error_text.h"

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

KindGroup::KindGroup(Kind& described, const Patience& patience, SlotOwner& owner,
                     const std::string& programName)
    : kind(described),
      sockets(described, programName),
      stateFile(openStateFile(described.stateFile)),
      cover(described.count) {
  for (int i = 0; i < kind.count; ++i) {
    slots.push_back(std::make_unique<Slot>(kind, i, patience, owner));
  }
}

void KindGroup::abandon() {
  sockets.abandon();
  stateFile.reset();
}

}  // namespace stormo::process
