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
#include "process/image_process.h"
#include "sys/error_text.h"
#include "sys/log.h"

namespace stormo::process {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFilesCheckedEvery{500};

milliseconds durationIn(const Json& request, const char* key, milliseconds byDefault) {
  const auto found = request.find(key);
  return found == request.end() ? byDefault : milliseconds(found->get<std::uint32_t>());
}

}  // namespace

Master::Master(MasterSetup setup)
    : setup_(std::move(setup)),
      loop_(std::make_unique<EventLoop>()),
      signals_(*loop_, [this](int signal) { onSignal(signal); }),
      control_(*loop_, setup_.instance.controlPath(),
               [this](const Json& request, const ControlServer::Reply& reply) {
                 onRequest(request, reply);
               }),
      ownFile_(ProgramFile::at("/proc/self/exe")),
      declared_(std::make_unique<Json>(Json::array())) {
  log::setRole("master");
  LoopImpl::of(*loop_).forks = true;
  checkProgram(setup_.program);
  for (Role& role : setup_.program.roles) {
    declared_->push_back(declarationOf(role));
    SlotOwner& owner = *this;
    roles_.push_back(std::make_unique<RoleGroup>(role, setup_.program.timeouts, owner,
                                                 setup_.instance, setup_.passedSockets));
  }
  setup_.passedSockets.reportUnused();
}

Master::~Master() {
  // A `stop` or `restart` waits for the end of its control connection: everything else is released
  // before.
  control_.stopListening();
  reload_.reset();
  image_.reset();
  nextImage_.reset();
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
  startReports();
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
  setup_.serviceManager.ready(statusLine());
  log::info("started program={}", setup_.programName);
  checkCredentials();
}

/// The reports to the service manager that are repeated.
void Master::startReports() {
  Timer::add(setup_.program.timeouts.aliveEvery, [this] {
    if (phase_ == Phase::Running && !reload_) setup_.serviceManager.status(statusLine());
  });
  const auto watchdog = setup_.serviceManager.watchdog();
  if (watchdog.count() == 0) return;
  Timer::add(watchdog / 2, [this] { setup_.serviceManager.aliveNow(); });
}

std::string Master::statusLine() const {
  std::size_t workers = 0;
  std::uint64_t connections = 0;
  for (const Slot* slot : allSlots()) {
    if (slot->role().kind != RoleKind::Worker || !slot->hasChild()) continue;
    workers += slot->state() == Slot::State::Ready ? 1 : 0;
    connections += slot->counters().connections.get();
  }
  return fmt::format("workers: {}, connections: {}", workers, connections);
}

void Master::startChild(RoleGroup& group, Slot& slot) {
  if (!group.hasStateDirectory()) restoreFiles();
  Counters& counters = slot.prepareCounters();
  std::fflush(nullptr);  // or the child would write it a second time
  auto ends = JsonPipe::pair();
  Image* const image = imageFor(slot);
  std::string why;
  const pid_t pid = !ends   ? -1
                    : image ? startInImage(*image, group, slot, ends->second, why)
                            : ::fork();
  if (!image) why = errorText(errno);
  if (pid > 0) return slot.begin(*loop_, pid, std::move(ends->first));
  if (pid == 0 && !image) {
    ends->first.reset();
    becomeChild(group, slot, counters, std::move(ends->second));
  }
  slot.failToBegin("cannot create a process: " + why);
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
  for (Image* image : images()) image->abandon();
  signals_.becomeChild();
  for (const auto& other : roles_) {
    if (other.get() != &group) other->abandon();
  }
  std::vector<const Counters*> siblings;
  for (Slot* other : allSlots()) {
    other->abandon();
    if (other != &slot && &other->role() == &group.role) siblings.push_back(&other->counters());
  }
  runChild({.role = group.role,
            .slot = slot.index(),
            .part = slot.part(),
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
  const Timeouts& timeouts = setup_.program.timeouts;
  switch (signal) {
    case SIGCHLD:
      return reapChildren();
    case SIGINT:
      return phase_ == Phase::Stopping && !stopManner_.graceful ? killAll() : stop({});
    case SIGTERM:
      return stop({});
    case SIGQUIT:
      return stop({.graceful = true, .timeout = timeouts.gracefulTimeout});
    case SIGHUP:
      return setup_.stopsOnHangup ? stop({}) : reloadTls(noReply);
    case SIGUSR1:
      return reload({.timeout = timeouts.reloadTimeout}, noReply);
    case SIGUSR2:
      return reopenLog(noReply);
    default:
      return;
  }
}

void Master::onRequest(const Json& request, const ControlServer::Reply& reply) {
  const auto& command = request.at("command").get_ref<const std::string&>();
  if (command == "status") {
    reply(statusReport(setup_.programName, startTime_, roles_));
  } else if (command == "connections") {
    connections_.ask(allSlots(), reply);
  } else if (command == "nodes") {
    listNodes(reply);
  } else if (command == "reload") {
    reload(mannerIn(request, setup_.program.timeouts.reloadTimeout), reply);
  } else if (command == "reload-tls") {
    reloadTls(reply);
  } else if (command == "reopen-log") {
    reopenLog(reply);
  } else if (command == "stop") {
    const StopManner manner = mannerIn(request, milliseconds(0));
    reply({{"ok", true}});  // the end of the connection reports that all have ended
    stop(manner);
  } else {
    reply({{"error", fmt::format("unknown command '{}'", command)}});
  }
}

void Master::listNodes(const ControlServer::Reply& reply) {
  std::vector<Slot*> slots = allSlots();
  std::erase_if(slots, [](const Slot* slot) { return !slot->role().isInCluster; });
  if (!slots.empty()) return nodes_.ask(slots, reply);
  reply({{"nodes", Json::array()},
         {"busy", Json::array()},
         {"reason", "this server is not part of a cluster (see --cluster)"}});
}

StopManner Master::mannerIn(const Json& request, milliseconds timeout) const {
  StopManner manner{.graceful = request.value("graceful", false),
                    .over = durationIn(request, "over_ms", milliseconds(0))};
  if (manner.over > milliseconds(0)) {
    manner.graceful = true;
    timeout = kPaceStretch * manner.over;
  } else if (manner.graceful) {
    timeout = setup_.program.timeouts.gracefulTimeout;
  }
  manner.timeout = durationIn(request, "timeout_ms", timeout);
  return manner;
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
  for (const Image* image : images()) image->useLogFile(file);
  log::useFile(std::move(file));
  log::info("reopened the log");
  reply({{"ok", true}});
}

void Master::stop(const StopManner& manner) {
  const bool again = phase_ == Phase::Stopping;
  if (again && !stopManner_.graceful) return;  // there is no earlier end
  stopManner_ = manner;
  stopDeadline_ = manner.timeout > milliseconds(0) ? Clock::now() + manner.timeout : TimePoint{};
  if (!again) {
    if (phase_ == Phase::Starting && startFailure_.empty()) {
      startFailure_ = "stopped before all processes had started";
    }
    phase_ = Phase::Stopping;
    setup_.serviceManager.stopping();
    log::info("stopping program={} graceful={}", setup_.programName, manner.graceful);
    for (Slot* slot : allSlots()) slot->cancelRestart();
    if (reload_) reload_->finish("the program was stopped");
  }
  stopNext(again);
}

void Master::failStart(std::string why) {
  if (startFailure_.empty()) startFailure_ = std::move(why);
  stop({});
}

void Master::stopNext(bool repeatOrder) {
  const auto living = nextToStop();
  if (living.empty()) return loop_->stop();
  StopOrder order = stopManner_.order(StopOrder::Reason::Stop);
  if (order.graceful && stopDeadline_ != TimePoint{}) {
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
    for (const auto* lane : {&group.slots, &group.spares}) {
      for (const auto& slot : *lane) {
        if (slot->hasChild()) into.push_back(slot.get());
      }
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
    for (const auto* lane : {&group->slots, &group->spares}) {
      for (const auto& slot : *lane) all.push_back(slot.get());
    }
  }
  return all;
}

}  // namespace stormo::process
