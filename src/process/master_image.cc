// How the master starts the program that is on the disk now, for a reload.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "process/image_process.h"
#include "process/master.h"
#include "sys/log.h"
#include "sys/sockets.h"

namespace stormo::process {

bool Master::hasNewProgram() const {
  if (setup_.ownProgram.path.empty()) return false;
  const auto& running = image_ ? image_->file() : ownFile_;
  return ProgramFile::at(setup_.ownProgram.path) != running;
}

void Master::startNewProgram() {
  const auto goOn = [this](const std::string& why) {
    if (why.empty()) {
      for (const RoleGroup* group : groupsWithCredentials()) {
        nextImage_->useCredentials(numberOf(*group), group->role.credentials->share());
      }
      return reload_->begin();
    }
    reload_->finish(why + " (the old workers go on)");
  };
  try {
    nextImage_ =
        std::make_unique<Image>(*loop_,
                                Image::Setup{.program = setup_.ownProgram,
                                             .first = forNewProgram(),
                                             .inherited = inheritedFds(),
                                             .inChild = [this] { signals_.becomeChild(); }},
                                goOn);
    log::info("started the new program for a reload path=\"{}\" program_pid={}",
              setup_.ownProgram.path, nextImage_->pid());
  } catch (const std::runtime_error& problem) {
    goOn(problem.what());
  }
}

Json Master::forNewProgram() const {
  Json held = Json::object();
  for (const auto& [path, fd] : heldSocketFds()) held[path] = fd;
  return {{"version", Image::kVersion},
          {"roles", *declared_},
          {"files", setup_.files == nullptr ? Json::object() : Json(*setup_.files)},
          {"held", std::move(held)},
          {"children_lock", setup_.childrenLock.get()},
          {"inherited", inheritedFds()}};
}

std::vector<int> Master::inheritedFds() const {
  std::vector<int> fds = {setup_.childrenLock.get()};
  for (const auto& [path, fd] : heldSocketFds()) fds.push_back(fd);
  for (const auto& group : roles_) {
    if (group->role.kind != RoleKind::Worker) continue;
    for (const auto& row : group->sockets.fds()) fds.insert(fds.end(), row.begin(), row.end());
  }
  for (const Slot* slot : allSlots()) {
    if (slot->role().kind == RoleKind::Worker) fds.push_back(slot->countersFd());
  }
  return fds;
}

Image* Master::imageFor(const Slot& slot) const {
  if (slot.role().kind != RoleKind::Worker || !slot.role().isReloadable) return nullptr;
  return slot.isSpare() && nextImage_ ? nextImage_.get() : image_.get();
}

pid_t Master::startInImage(const Image& image, RoleGroup& group, const Slot& slot,
                           const UniqueFd& link, std::string& why) const {
  Json siblings = Json::array();
  for (const Slot* other : allSlots()) {
    if (other != &slot && &other->role() == &group.role) siblings.push_back(other->countersFd());
  }
  return image.startChild({{"order", "start"},
                           {"role", numberOf(group)},
                           {"slot", slot.index()},
                           {"part", slot.part()},
                           {"counters", slot.countersFd()},
                           {"siblings", std::move(siblings)},
                           {"listeners", group.sockets.fds()},
                           {"linked_within_ms", setup_.program.timeouts.linkedWithin.count()}},
                          link, why);
}

std::size_t Master::numberOf(const RoleGroup& group) const {
  std::size_t number = 0;
  while (roles_[number].get() != &group) ++number;
  return number;
}

void Master::freeSlot(const Slot& slot) const {
  for (const Image* image : images()) {
    image->freeSlot(numberOf(groupOf(slot)), slot.part());
  }
}

std::vector<Image*> Master::images() const {
  std::vector<Image*> found;
  for (Image* image : {image_.get(), nextImage_.get()}) {
    if (image != nullptr) found.push_back(image);
  }
  return found;
}

bool Master::reapImage(pid_t pid, int waitStatus) {
  if (nextImage_ && nextImage_->pid() == pid) {
    nextImage_->onEnded(waitText(waitStatus));
    return true;
  }
  if (!image_ || image_->pid() != pid) return false;
  log::error(
      "the process that starts workers has ended: they have the program of the start until the "
      "next "
      "reload why=\"{}\"",
      waitText(waitStatus));
  image_->onEnded("");
  image_.reset();
  return true;
}

}  // namespace stormo::process
