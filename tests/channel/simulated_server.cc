#include "channel/simulated_server.h"

#include <exception>
#include <memory>
#include <utility>

#include "channel/log/mark.h"

namespace stormo::channel {

SimulatedServer::SimulatedServer(EventLoop& loop, const Server& settings, int listening,
                                 std::uint64_t seed)
    : loop_(loop), settings_(settings), listening_(listening), directory_(seed) {
  net::Reactor::of(loop_).add(*this);  // before the server, so it can destroy it
}

SimulatedServer::~SimulatedServer() { net::Reactor::of(loop_).remove(*this); }

bool SimulatedServer::isWaiting() const {
  return isUp() && (log_->waitingBytes() > 0 || log_->isBlocked() || directory_.hasPendingSync() ||
                    directory_.hasPendingSnapshot());
}

void SimulatedServer::start() {
  directory_.endPending();
  auto log = std::make_unique<MortalLog>(directory_, settings_.log, [this] {
    isDying_ = true;
    onDeath();
  });
  log_ = log.get();
  try {
    process_.emplace(loop_, settings_, std::move(log));
  } catch (const test::SimulatedDeath&) {
    return kill();
  } catch (const std::exception& failure) {
    if (!isDiskSick_) error_ += std::string("the server cannot start: ") + failure.what() + "\n";
    return kill();
  }
  checkEpoch();
  process_->listen(listening_);
}

void SimulatedServer::checkEpoch() {
  const auto mark = readMark(directory_.content(kMarkName));
  const std::uint64_t last = std::exchange(epoch_, mark ? mark->epoch : 0);
  const bool mayLoseRecords = isPowerLost_ && settings_.log.sync != SyncPolicy::Always;
  isPowerLost_ = false;
  if (last == epoch_ || last == 0) return;
  ++newEpochs_;
  if (!mayLoseRecords) error_ += "a new epoch without a reason\n";
  onNewEpoch();
}

void SimulatedServer::kill() {
  process_.reset();
  directory_.kill();
  isDying_ = diesAfterTurn_ = finishes_ = hasEnded_ = false;
}

void SimulatedServer::failPower() {
  kill();
  directory_.crash();
  isPowerLost_ = true;
}

void SimulatedServer::stop() { process_->stop(); }

bool SimulatedServer::continueStop() {
  if (!isUp()) return true;
  if (!finishes_ && process_->linkCount() == 0) {
    finishes_ = true;
    log_->guard([this] { log_->finish([this] { hasEnded_ = true; }); });
  }
  return hasEnded_;
}

void SimulatedServer::leave() {
  if (isUp()) kill();
}

void SimulatedServer::dieAtStep(std::uint64_t step) {
  if (!isUp()) directory_.failSyncs(0);
  directory_.dieAtStep(step);
}

void SimulatedServer::dieAfterAppend() {
  if (isUp()) log_->dieAfterAppend();
}

void SimulatedServer::fillDisk(std::uint64_t left) {
  isDiskSick_ = true;
  directory_.setCapacity(directory_.usedBytes() + left);
}

void SimulatedServer::failSync() {
  isDiskSick_ = true;
  directory_.failSyncs(1);
}

void SimulatedServer::repair() {
  isDiskSick_ = false;
  freeDisk();
  dieAtStep(0);
  directory_.failSyncs(0);
  directory_.failSnapshots(0);
}

void SimulatedServer::completeSync() {
  inNextTurn([this] {
    if (directory_.hasPendingSync()) directory_.completeSync();
  });
}

void SimulatedServer::completeSnapshot() {
  inNextTurn([this] {
    if (!directory_.hasPendingSnapshot()) return;
    directory_.completeSnapshot();
    ++snapshots_;
  });
}

void SimulatedServer::inNextTurn(std::function<void()> work) {
  loop_.defer([this, work = std::move(work)] {
    if (isUp()) log_->guard(work);
  });
}

void SimulatedServer::onFlush() {
  // A timer may have changed files, too.
  if (isUp() && (isDying_ || directory_.isDead())) kill();
}

void SimulatedServer::onFlushed() {
  if (isUp() && (isDying_ || diesAfterTurn_ || directory_.isDead())) kill();
}

}  // namespace stormo::channel
