#include "process/slot.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "process/child_process.h"
#include "sys/log.h"

namespace stormo::process {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

}  // namespace

int shellStatus(int waitStatus) {
  return WIFSIGNALED(waitStatus) ? 128 + WTERMSIG(waitStatus) : WEXITSTATUS(waitStatus);
}

std::string waitText(int waitStatus) {
  if (WIFSIGNALED(waitStatus)) {
    return fmt::format("ended by signal {} ({})", WTERMSIG(waitStatus),
                       ::strsignal(WTERMSIG(waitStatus)));
  }
  return fmt::format("ended with status {}", WEXITSTATUS(waitStatus));
}

Slot::Slot(const Role& role, int index, bool isSpare, const Timeouts& timeouts, SlotOwner& owner)
    : role_(role),
      index_(index),
      part_(isSpare ? role.count + index : index),
      timeouts_(timeouts),
      owner_(owner),
      isSpare_(isSpare) {}

Slot::~Slot() { cancelTimer(); }

std::string Slot::name() const { return childName(role_, index_); }

Counters& Slot::prepareCounters() {
  counters_.resetGauges();
  return *counters_;
}

void Slot::begin(EventLoop& loop, pid_t pid, UniqueFd link) {
  STORMO_ASSERT(pid_ == 0);
  cancelTimer();
  pid_ = pid;
  state_ = State::Starting;
  startedAt_ = Clock::now();
  lastWords_.clear();
  aliveAskedAt_.reset();
  silent_ = false;
  rowsAsked_.clear();
  acceptingEnded_ = false;
  missing_.clear();
  // A link that ends before its child needs no reaction: waitpid() reports the child.
  link_ = std::make_unique<JsonPipe>(
      loop, std::move(link), [this](const Json& report) { onReport(report); }, [] {});
}

void Slot::failToBegin(const std::string& why) {
  cancelTimer();
  state_ = State::Down;
  startedAt_ = Clock::now();
  lastWords_ = why;
}

void Slot::stop(StopOrder order, milliseconds killAfter) {
  if (!hasChild()) return;
  state_ = State::Stopping;
  stopReason_ = order.reason;
  link_->send({{"order", "stop"},
               {"reason", order.reason == StopOrder::Reason::Reload ? "reload" : "stop"},
               {"graceful", order.graceful},
               {"timeout_ms", order.timeout.count()},
               {"over_ms", order.over.count()}});
  if (!order.graceful) {
    setTimer(killAfter, [this] {
      log::warning("a child did not stop in time and was killed worker=\"{}\" worker_pid={}",
                   name(), pid_);
      kill();
    });
  } else if (order.timeout > milliseconds::zero()) {
    setTimer(order.timeout, [this, order, killAfter] {
      stop({.reason = order.reason, .graceful = false, .timeout = {}}, killAfter);
    });
  } else {
    cancelTimer();
  }
}

void Slot::kill() {
  if (hasChild()) ::kill(pid_, SIGKILL);
}

void Slot::end(int waitStatus) {
  link_->drain();
  link_.reset();
  cancelTimer();
  if (role_.onSlotFree) role_.onSlotFree(part_);
  if (state_ != State::Stopping && !isSpare_) {
    ++restarts_;
    exitStatus_ = shellStatus(waitStatus);
  }
  if (isSpare_) counters_.resetGauges();
  if (lastWords_.empty()) lastWords_ = waitText(waitStatus);
  state_ = State::Down;
  pid_ = 0;
  silent_ = false;
  aliveAskedAt_.reset();
}

void Slot::promote(Slot& former) {
  former.cancelRestart();
  isSpare_ = false;
  former.isSpare_ = true;
  policy_ = former.policy_;
  restarts_ = former.restarts_;
  exitStatus_ = former.exitStatus_;
  reloads_ = former.reloads_ + 1;
}

void Slot::restartLater(std::function<void()> start) {
  const auto wait = policy_.onEnd(startedAt_, Clock::now());
  state_ = State::Backoff;
  setTimer(duration_cast<milliseconds>(wait), std::move(start));
  log::warning("a child ended unexpectedly worker=\"{}\" why=\"{}\" restart_in_ms={}", name(),
               lastWords_, duration_cast<milliseconds>(wait).count());
}

void Slot::cancelRestart() {
  if (state_ != State::Backoff) return;
  cancelTimer();
  state_ = State::Down;
}

void Slot::acceptForSibling(int sibling, bool accept) {
  if (link_) link_->send({{"order", "accept"}, {"slot", sibling}, {"accept", accept}});
}

void Slot::useLogFile(const UniqueFd& file) {
  if (link_) link_->send({{"order", "log-file"}}, &file);
}

void Slot::useCredentials(const UniqueFd& file) {
  if (link_) link_->send({{"order", "credentials"}}, &file);
}

void Slot::watchdogTick() {
  // The time when this turn began: all reports that had arrived by then have been read. Since then
  // the master may have been blocked.
  const TimePoint now = EventLoop::current().now();
  messageRate_.sample(Clock::now(), counters_->messagesIn.get());
  if (state_ != State::Ready) return;
  if (!aliveAskedAt_) {
    aliveAskedAt_ = Clock::now();
    ticksUnanswered_ = 0;
    link_->send({{"order", "alive"}});
    return;
  }
  ++ticksUnanswered_;
  const auto silence = now - *aliveAskedAt_;
  if (!silent_ && silence >= std::min(timeouts_.silentAfter, hangTimeout())) reportSilence(silence);
  // In ticks: while the master itself did not run, its children may not have run either.
  const auto hung = ticksUnanswered_ * timeouts_.aliveEvery;
  if (hung < hangTimeout()) return;
  // A killed child takes a moment to end; the reason is that of the first time.
  if (!lastWords_.empty()) return;
  lastWords_ = fmt::format("killed, as it did not answer for {} s",
                           duration_cast<std::chrono::duration<double>>(hung).count());
  kill();
}

milliseconds Slot::hangTimeout() const {
  return role_.hangTimeout > milliseconds::zero() ? role_.hangTimeout : milliseconds::max();
}

void Slot::reportSilence(Clock::duration silence) {
  silent_ = true;
  log::error("a child does not answer worker=\"{}\" worker_pid={} silent_ms={}", name(), pid_,
             duration_cast<milliseconds>(silence).count());
  owner_.onSilenceChanged(*this);
}

void Slot::onAlive() {
  const auto silence = Clock::now() - aliveAskedAt_.value_or(Clock::now());
  aliveAskedAt_.reset();
  if (!silent_) return;
  silent_ = false;
  log::warning("a child answers again worker=\"{}\" worker_pid={} silent_ms={}", name(), pid_,
               duration_cast<milliseconds>(silence).count());
  owner_.onSilenceChanged(*this);
}

bool Slot::isBusy() const {
  return aliveAskedAt_ && Clock::now() - *aliveAskedAt_ >= timeouts_.aliveEvery / 2;
}

bool Slot::askRows(const std::string& kind, std::uint64_t request) {
  if (!link_ || !rowsAsked_.insert(kind).second) return false;
  link_->send({{"order", kind}, {"request", request}});
  return true;
}

void Slot::onReport(const Json& report) {
  const auto& what = report.at("report").get_ref<const std::string&>();
  if (what == "alive") {
    onAlive();
  } else if (what == "ready") {
    if (state_ != State::Starting) return;  // it has a stop order since
    state_ = State::Ready;
    missing_ = report.at("missing");
    if (!missing_.empty()) {
      log::warning("a child runs without what it needs worker=\"{}\" worker_pid={} missing=\"{}\"",
                   name(), pid_, missing_);
    }
    owner_.onChildReady(*this);
  } else if (what == "failed") {
    lastWords_ = report.at("why");
    log::error("a child cannot start worker=\"{}\" worker_pid={} why=\"{}\"", name(), pid_,
               lastWords_);
  } else if (what == "accepting-ended") {
    acceptingEnded_ = true;
    owner_.onAcceptingEnded(*this);
  } else if (report.contains("rows")) {
    if (report.at("last")) rowsAsked_.erase(what);
    owner_.onRows(*this, report);
  }
}

double Slot::messagesPerSecond() const {
  return messageRate_.perSecond(Clock::now(), counters_->messagesIn.get());
}

seconds Slot::uptime() const {
  return hasChild() ? duration_cast<seconds>(Clock::now() - startedAt_) : seconds::zero();
}

void Slot::abandon() {
  if (link_) link_->abandon();
}

void Slot::setTimer(milliseconds after, std::function<void()> what) {
  cancelTimer();
  timer_ = Timer::once(after, [this, run = std::move(what)] {
    timer_ = 0;
    run();
  });
}

void Slot::cancelTimer() {
  if (timer_ != 0) Timer::cancel(std::exchange(timer_, 0));
}

}  // namespace stormo::process
