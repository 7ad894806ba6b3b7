// How the master replaces its workers.
#include <nlohmann/json.hpp>
#include <utility>

#include "process/master.h"
#include "sys/log.h"

namespace stormo::process {
namespace {

using std::chrono::milliseconds;

void logReload(const std::string& problem) {
  if (problem.empty()) {
    log::info("reloaded all workers");
  } else {
    log::error("the reload failed why=\"{}\"", problem);
  }
}

}  // namespace

void Master::reload(const StopManner& manner, const ControlServer::Reply& reply) {
  if (phase_ != Phase::Running) {
    return reply({{"error", phase_ == Phase::Starting ? "the program is starting"
                                                      : "the program is stopping"}});
  }
  if (const std::string problem = reloadCredentials(); !problem.empty()) {
    logReload(problem);
    return reply({{"error", problem}});
  }
  if (reload_) reload_->finish("replaced by a later reload");
  nextImage_.reset();
  setup_.serviceManager.reloading();
  std::vector<Place> places;
  for (const auto& group : roles_) {
    if (group->role.kind != RoleKind::Worker || !group->role.isReloadable) continue;
    for (std::size_t i = 0; i < group->slots.size(); ++i) places.push_back({group.get(), i});
  }
  const Reload::Leaving leaving{
      .order = manner.order(StopOrder::Reason::Reload),
      .killAfter = manner.graceful ? setup_.program.timeouts.stopTimeout : manner.timeout,
      .together = manner.graceful};
  Reload::Steps steps;
  steps.start = [this](const Place& place) { startChild(*place.group, place.spare()); };
  steps.promoted = [this] {
    if (nextImage_) image_ = std::move(nextImage_);
    for (const auto& group : roles_) updateCover(*group);
  };
  steps.done = [this, reply](const std::string& problem) {
    reload_.reset();
    if (phase_ == Phase::Running) setup_.serviceManager.ready(statusLine());
    nextImage_.reset();
    logReload(problem);
    reply(problem.empty() ? Json{{"ok", true}} : Json{{"error", problem}});
  };
  reload_ = std::make_unique<Reload>(std::move(places), leaving, std::move(steps));
  hasNewProgram() ? startNewProgram() : reload_->begin();
}

}  // namespace stormo::process
