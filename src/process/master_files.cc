// How the master keeps its instance's files while it runs.
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "process/master.h"
#include "sys/log.h"

namespace stormo::process {

bool Master::areFilesThere() const {
  const Instance& instance = setup_.instance;
  return isFileAt(instance.lockPath(), setup_.lock.get()) &&
         isFileAt(instance.childrenPath(), setup_.childrenLock.get()) && control_.isReachable() &&
         std::ranges::all_of(roles_, [](const auto& each) { return each->hasStateDirectory(); }) &&
         (!isRecorded_ || ::access(instance.startRecordPath().c_str(), F_OK) == 0);
}

void Master::restoreFiles() {
  if (areFilesThere()) return;
  const Instance& instance = setup_.instance;
  try {
    instance.createDirectory();
    if (!isFileAt(instance.lockPath(), setup_.lock.get())) {
      auto lock = instance.lock();
      if (!lock) throw std::runtime_error("another master was started there");
      setup_.lock = std::move(*lock);
    }
    if (!isFileAt(instance.childrenPath(), setup_.childrenLock.get())) {
      setup_.childrenLock = instance.lockForChildren();
    }
    if (!control_.isReachable()) control_.listen();
    for (const auto& group : roles_) group->restoreStateDirectory();
    if (isRecorded_) setup_.record.save(instance.startRecordPath());
    filesLost_ = false;
    log::warning("files of the instance were deleted and created again directory=\"{}\"",
                 instance.directory());
  } catch (const std::exception& problem) {
    if (std::exchange(filesLost_, true)) return;
    log::error(
        "files of the instance were deleted and cannot be created again: commands cannot find it "
        "directory=\"{}\" why=\"{}\"",
        instance.directory(), problem.what());
  }
}

}  // namespace stormo::process
