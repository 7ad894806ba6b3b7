// How the master renews what its children cannot read themselves.
#include <chrono>
#include <exception>
#include <nlohmann/json.hpp>

#include "process/master.h"
#include "sys/log.h"

namespace stormo::process {
namespace {

constexpr std::chrono::hours kExpiresSoon{24 * 7};

}  // namespace

void Master::shareCredentials(const RoleGroup& group) const {
  const UniqueFd file = group.role.credentials->share();
  for (Slot* slot : allSlots()) {
    if (&slot->role() == &group.role) slot->useCredentials(file);
  }
  for (const Image* image : images()) image->useCredentials(numberOf(group), file);
}

std::vector<const RoleGroup*> Master::groupsWithCredentials() const {
  std::vector<const RoleGroup*> found;
  for (const auto& group : roles_) {
    if (group->role.credentials != nullptr) found.push_back(group.get());
  }
  return found;
}

std::string Master::reloadCredentials() {
  std::string problem;
  for (const RoleGroup* group : groupsWithCredentials()) {
    try {
      group->role.credentials->reload();
      shareCredentials(*group);
    } catch (const std::exception& thrown) {
      problem = thrown.what();
    }
  }
  checkCredentials();
  return problem;
}

void Master::reloadTls(const ControlServer::Reply& reply) {
  const std::string problem =
      groupsWithCredentials().empty() ? "no address of this program uses TLS" : reloadCredentials();
  if (problem.empty()) {
    log::info("read the certificates again");
    return reply({{"ok", true}});
  }
  log::error("the certificates were not read again why=\"{}\"", problem);
  reply({{"error", problem}});
}

void Master::rotateCredentials() {
  for (const RoleGroup* group : groupsWithCredentials()) {
    try {
      group->role.credentials->rotate();
      shareCredentials(*group);
    } catch (const std::exception& thrown) {
      log::error("keys were not replaced why=\"{}\"", thrown.what());
    }
  }
  checkCredentials();
}

void Master::checkCredentials() const {
  for (const RoleGroup* group : groupsWithCredentials()) {
    const std::string wrong = group->role.credentials->complaint(kExpiresSoon);
    if (!wrong.empty()) log::warning("clients will refuse to connect why=\"{}\"", wrong);
  }
}

}  // namespace stormo::process
