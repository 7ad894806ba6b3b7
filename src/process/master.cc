#include "process/master.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/assert.h"
#include "event/loop_impl.h"
#include "process/check_program.h"
#include "process/child_process.h"
#include "sys/error_text.h"
#include "sys/log.h"

namespace stormo::process {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFilesCheckedEvery{500};

/// "timeout_ms" of a request, or the default.
milliseconds timeoutOf(const Json& request, milliseconds byDefault) {
  const auto found = request.find("timeout_ms");
  return found == request.end() ? byDefault : milliseconds(found->get<std::uint32_t>());
}

void logReload(const std::string& problem) {
  if (problem.empty()) {
    log::info("reloaded all workers");
  } else {
    log::error("the reload failed why=\"{}\"", problem);
  }
}

}  // namespace

Master::Master(MasterSetup setup)
    : setup_(std::move(setup)),
      loop_(std::make_unique<EventLoop>()),
      signals_(*loop_, [this](int signal) { onSignal(signal); }),
      control_(*loop_, setup_.instance.controlPath(),
               [this](const Json& request, const ControlServer::Reply& reply) {
                 onRequest(request, reply);
               }) {
  log::setRole("master");
  LoopImpl::of(*loop_).forks = true;
  checkProgram(setup_.program);
  for (Role& role : setup_.program.roles) {
    SlotOwner& owner = *this;
    roles_.push_back(
        std::make_unique<RoleGroup>(role, setup_.program.timeouts, owner, setup_.instance));
  }
}

Master::~Master() {
  // A `stop` or `restart` waits for the end of its control connection: everything else is released
  // before.
  control_.stopListening();
  reload_.reset();
  roles_.clear();
  setup_.lock.reset();
}

int Master::run() {
  loop_->defer([this] { startNextRole(); });
  Timer::add(setup_.program.timeouts.aliveEvery, [this] {
    for (Slot* slot : allSlots()) slot->watchdogTick();
  });
  Timer::add(kFilesCheckedEvery, [this] { restoreFiles(); });
  Timer::add(Credentials::kRotateEvery, [this] { rotateCredentials(); });
  loop_->run();
  restoreFiles();                            // for the Channel's state
  loop_->turn(EventLoop::Duration::zero());  // sends the last answers
  if (!startFailure_.empty()) throw std::runtime_error(startFailure_);
  log::info("stopped program={}", setup_.programName);
  return 0;
}

// --- Starting ---

void Master::startNextRole() {
  if (rolesStarted_ == roles_.size()) return finishStart();
  RoleGroup& group = *roles_[rolesStarted_];
  for (const auto& slot : group.slots) {
    if (phase_ == Phase::Starting) startChild(group, *slot);
  }
}

void Master::finishStart() {
  phase_ = Phase::Running;
  try {
    setup_.record.save(setup_.instance.startRecordPath());
    isRecorded_ = true;
  } catch (const std::exception& problem) {
    log::error("'restart' will not know the options of this start why=\"{}\"", problem.what());
  }
  setup_.report.started(setup_.screen(setup_.program));
  log::info("started program={}", setup_.programName);
  checkCredentials();
}

void Master::startChild(RoleGroup& group, Slot& slot) {
  if (!group.hasStateDirectory()) restoreFiles();
  Counters& counters = slot.prepareCounters();
  std::fflush(nullptr);  // or the child would write it a second time
  auto ends = JsonPipe::pair();
  const pid_t pid = ends ? ::fork() : -1;
  const int problem = errno;
  if (pid > 0) return slot.begin(*loop_, pid, std::move(ends->first));
  if (pid == 0) {
    ends->first.reset();
    becomeChild(group, slot, counters, std::move(ends->second));
  }
  slot.failToBegin(fmt::format("cannot create a process: {}", errorText(problem)));
  // In a later turn: callers do not expect the end of the child before this returns.
  loop_->defer([this, &group, &slot] { onChildEnded(group, slot); });
}

void Master::becomeChild(RoleGroup& group, Slot& slot, Counters& counters, UniqueFd link) {
  // The epoll instance is shared with the master: it is closed here, and nothing is removed from
  // it.
  loop_.reset();
  setup_.lock.reset();
  setup_.report.abandon();
  control_.abandon();
  signals_.becomeChild();
  for (const auto& other : roles_) {
    if (other.get() != &group) other->abandon();
    for (const auto& sibling : other->slots) sibling->abandon();
  }
  std::vector<const Counters*> siblings;
  for (const auto& other : group.slots) {
    if (other.get() != &slot) siblings.push_back(&other->counters());
  }
  runChild({.role = group.role,
            .slot = slot.index(),
            .counters = counters,
            .listeners = group.sockets.fds(),
            .siblings = std::move(siblings),
            .stateDirectory = group.stateDirectory.get(),
            .linkedWithin = setup_.program.timeouts.linkedWithin,
            .link = std::move(link)});
}

// --- Events ---

void Master::onSignal(int signal) {
  const auto noReply = [](const Json&) {};  // the result is in the log
  const milliseconds none{0};
  const milliseconds graceful = setup_.program.timeouts.gracefulTimeout;
  switch (signal) {
    case SIGCHLD:
      return reapChildren();
    case SIGINT:
      return phase_ == Phase::Stopping && !stopGraceful_ ? killAll() : stop(false, none);
    case SIGTERM:
      return stop(false, none);
    case SIGQUIT:
      return stop(true, graceful);
    case SIGHUP:
      return setup_.stopsOnHangup ? stop(false, none) : reloadTls(noReply);
    case SIGUSR1:
      return reload(false, setup_.program.timeouts.reloadTimeout, noReply);
    case SIGUSR2:
      return reopenLog(noReply);
    default:
      return;
  }
}

void Master::onRequest(const Json& request, const ControlServer::Reply& reply) {
  const auto& command = request.at("command").get_ref<const std::string&>();
  const bool graceful = request.value("graceful", false);
  if (command == "status") {
    reply(statusReport(setup_.programName, startTime_, roles_));
  } else if (command == "connections") {
    connections_.ask(allSlots(), reply);
  } else if (command == "reload") {
    const Timeouts& timeouts = setup_.program.timeouts;
    reload(graceful,
           timeoutOf(request, graceful ? timeouts.gracefulTimeout : timeouts.reloadTimeout), reply);
  } else if (command == "reload-tls") {
    reloadTls(reply);
  } else if (command == "reopen-log") {
    reopenLog(reply);
  } else if (command == "stop") {
    const milliseconds timeout = timeoutOf(request, setup_.program.timeouts.gracefulTimeout);
    reply({{"ok", true}});  // the end of the connection reports that all have ended
    stop(graceful, timeout);
  } else {
    reply({{"error", fmt::format("unknown command '{}'", command)}});
  }
}

// --- Actions ---

void Master::updateCover(RoleGroup& group) {
  if (phase_ != Phase::Running) return;
  std::vector<bool> able;
  for (const auto& slot : group.slots) {
    able.push_back(slot->state() == Slot::State::Ready && !slot->isSilent());
  }
  for (const SiblingCover::Order& order : group.cover.update(able)) {
    group.slots[static_cast<std::size_t>(order.acceptor)]->acceptForSibling(order.slot,
                                                                            order.accept);
  }
}

void Master::reload(bool graceful, milliseconds timeout, const ControlServer::Reply& reply) {
  if (phase_ != Phase::Running) {
    return reply({{"error", phase_ == Phase::Starting ? "the program is starting"
                                                      : "the program is stopping"}});
  }
  if (const std::string problem = reloadCredentials(); !problem.empty()) {
    logReload(problem);
    return reply({{"error", problem}});
  }
  const Slot* current = nullptr;
  if (reload_) {
    current = reload_->current();
    reload_->finish("replaced by a later reload");
  }
  std::deque<Slot*> workers;
  for (const auto& group : roles_) {
    if (group->role.kind != RoleKind::Worker || !group->role.isReloadable) continue;
    for (const auto& slot : group->slots) workers.push_back(slot.get());
  }
  // It is stopping already, by the earlier order, which this order replaces.
  const auto first = std::find(workers.begin(), workers.end(), current);
  if (first != workers.end()) std::rotate(workers.begin(), first, std::next(first));
  const milliseconds killAfter = graceful ? setup_.program.timeouts.stopTimeout : timeout;
  const StopOrder order{
      .reason = StopOrder::Reason::Reload, .graceful = graceful, .timeout = timeout};
  Reload::Steps steps;
  steps.stop = [this, order, killAfter](Slot& slot) {
    slot.stop(order, killAfter);
    updateCover(groupOf(slot));
  };
  steps.start = [this](Slot& slot) { startChild(groupOf(slot), slot); };
  steps.done = [this, reply](const std::string& problem) {
    reload_.reset();
    logReload(problem);
    reply(problem.empty() ? Json{{"ok", true}} : Json{{"error", problem}});
  };
  reload_ = std::make_unique<Reload>(std::move(workers), std::move(steps));
  reload_->begin();
}

void Master::reopenLog(const ControlServer::Reply& reply) {
  const std::string& path = log::filePath();
  if (path.empty()) return reply({{"error", "the log goes to stderr, not to a file"}});
  UniqueFd file = log::openAgain();
  if (!file.valid()) {
    const std::string why = errorText(errno);
    log::error("cannot reopen the log path=\"{}\" reason=\"{}\"", path, why);
    return reply({{"error", fmt::format("cannot open {}: {}", path, why)}});
  }
  for (Slot* slot : allSlots()) slot->useLogFile(file);
  log::useFile(std::move(file));
  log::info("reopened the log");
  reply({{"ok", true}});
}

void Master::stop(bool graceful, milliseconds timeout) {
  const bool again = phase_ == Phase::Stopping;
  if (again && !stopGraceful_) return;  // there is no earlier end
  stopGraceful_ = graceful;
  stopDeadline_ = timeout > milliseconds(0) ? Clock::now() + timeout : TimePoint{};
  if (!again) {
    if (phase_ == Phase::Starting && startFailure_.empty()) {
      startFailure_ = "stopped before all processes had started";
    }
    phase_ = Phase::Stopping;
    log::info("stopping program={} graceful={}", setup_.programName, graceful);
    for (Slot* slot : allSlots()) slot->cancelRestart();
    if (reload_) reload_->finish("the program was stopped");
  }
  stopNext(again);
}

void Master::failStart(std::string why) {
  if (startFailure_.empty()) startFailure_ = std::move(why);
  stop(false, milliseconds(0));
}

void Master::stopNext(bool repeatOrder) {
  const auto living = nextToStop();
  if (living.empty()) return loop_->stop();
  StopOrder order{.graceful = stopGraceful_};
  if (stopGraceful_ && stopDeadline_ != TimePoint{}) {
    const auto left = std::chrono::ceil<milliseconds>(stopDeadline_ - Clock::now());
    order.graceful = left > milliseconds(0);
    order.timeout = std::max(left, milliseconds(0));
  }
  for (Slot* slot : living) {
    if (repeatOrder || !slot->isStoppingForGood()) {
      slot->stop(order, setup_.program.timeouts.stopTimeout);
    }
  }
}

void Master::killAll() {
  log::warning("killing all processes program={}", setup_.programName);
  for (Slot* slot : allSlots()) slot->kill();
}

std::vector<Slot*> Master::nextToStop() const {
  const auto living = [](const RoleGroup& group, std::vector<Slot*>& into) {
    for (const auto& slot : group.slots) {
      if (slot->hasChild()) into.push_back(slot.get());
    }
  };
  std::vector<Slot*> found;
  for (const auto& group : roles_) {
    if (group->role.kind == RoleKind::Worker) living(*group, found);
  }
  for (auto group = roles_.rbegin(); found.empty() && group != roles_.rend(); ++group) {
    living(**group, found);
  }
  return found;
}

RoleGroup& Master::groupOf(const Slot& slot) const {
  for (const auto& group : roles_) {
    if (&group->role == &slot.role()) return *group;
  }
  STORMO_ASSERT(false);
  std::abort();
}

std::vector<Slot*> Master::allSlots() const {
  std::vector<Slot*> all;
  for (const auto& group : roles_) {
    for (const auto& slot : group->slots) all.push_back(slot.get());
  }
  return all;
}

}  // namespace stormo::process
