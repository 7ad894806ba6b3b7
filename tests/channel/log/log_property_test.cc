// Random runs of a FileLog in a directory that loses, tears and fills up. After each recovery every
// record that was applied in the same epoch is there, in order and once, and with
// SyncPolicy::Always nothing that was applied is ever lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "channel/log/log_fixture.h"

namespace stormo::test {
namespace {

using channel::SyncPolicy;

class RandomRuns {
 public:
  RandomRuns(EventLoop& loop, std::uint64_t seed)
      : loop_(loop), random_(seed), directory_(seed * 7919 + 1) {
    options_.sync = static_cast<SyncPolicy>(seed % 3);
    options_.interval = std::chrono::milliseconds(1 + pick(200));
    options_.segmentBytes = 100 + pick(1500);
    options_.totalBytesMax = 4000 + pick(20000);
  }

  void execute() {
    open();
    for (int i = 0; i < 150 && !testing::Test::HasFailure(); ++i) {
      if (chance(10)) directory_.dieAtStep(1 + pick(12));
      try {
        act();
      } catch (const SimulatedDeath&) {
      }
      if (directory_.isDead()) endProcess();
    }
  }

 private:
  std::uint64_t pick(std::uint64_t below) { return random_() % below; }
  bool chance(unsigned percent) { return pick(100) < percent; }

  void act() {
    switch (pick(12)) {
      case 0:
        directory_.setCapacity(directory_.usedBytes() + pick(400));
        break;
      case 1:
        directory_.setCapacity(UINT64_MAX);
        break;
      case 2:
        if (chance(30)) directory_.failSyncs(1);
        if (chance(30)) directory_.failSnapshots(1);
        break;
      case 3:
      case 4:
        if (directory_.hasPendingSync()) directory_.completeSync();
        break;
      case 5:
        if (directory_.hasPendingSnapshot()) directory_.completeSnapshot();
        break;
      case 6:
        simulatedNow += std::chrono::milliseconds(150);
        loop_.turn(std::chrono::milliseconds(0));
        break;
      case 7:
        if (chance(10)) endProcess();
        if (chance(3)) stopCleanly();
        break;
      default:
        appendSome();
    }
    noteApplied();
  }

  void appendSome() {
    std::string records;
    const std::uint64_t count = 1 + pick(4);
    for (std::uint64_t i = 0; i < count; ++i) {
      records += recordOf(std::to_string(++number_) + std::string(pick(90), 'x'));
    }
    run_->log.append(records, count);
  }

  // What was applied could have been sent to others.
  void noteApplied() { applied_ = run_->state.packets; }

  void stopCleanly() {
    directory_.setCapacity(UINT64_MAX);
    bool isFinished = false;
    run_->log.finish([&] { isFinished = true; });
    for (int i = 0; i < 1000 && !isFinished; ++i) {
      simulatedNow += std::chrono::milliseconds(150);
      loop_.turn(std::chrono::milliseconds(0));
      while (directory_.hasPendingSync()) directory_.completeSync();
      while (directory_.hasPendingSnapshot()) directory_.completeSnapshot();
    }
    // A log that is blocked here has a state that is larger than totalBytesMax.
    EXPECT_TRUE(isFinished || run_->log.isBlocked() || directory_.isDead());
    endProcess();
  }

  void endProcess() {
    noteApplied();
    run_.reset();
    directory_.setCapacity(UINT64_MAX);
    directory_.failSyncs(0);
    directory_.failSnapshots(0);
    // A loop: it may also die in recovery.
    while (true) {
      if (chance(50)) {
        directory_.crash();
      } else {
        directory_.kill();
      }
      if (chance(20)) directory_.dieAtStep(1 + pick(12));
      try {
        open();
        return;
      } catch (const SimulatedDeath&) {
        run_.reset();
      }
    }
  }

  void open() {
    run_ = std::make_unique<LogRun>(directory_, options_);
    const auto opened = run_->log.open(run_->state, [] {});
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    const std::vector<std::string>& packets = run_->state.packets;
    const bool isSameEpoch = run_->state.epoch == epoch_;
    expectAppendedOrder(packets);
    if (isSameEpoch || options_.sync == SyncPolicy::Always) {
      ASSERT_GE(packets.size(), applied_.size()) << "records were lost";
      EXPECT_TRUE(std::equal(applied_.begin(), applied_.end(), packets.begin())) << "other records";
    }
    if (options_.sync == SyncPolicy::Always && epoch_ != 0) {
      EXPECT_TRUE(isSameEpoch);
    }
    epoch_ = run_->state.epoch;
    noteApplied();
  }

  // Each record once, in the order of the appends. A record of a dead process that was never
  // applied may come back after a power failure, if its policy was not Always: then a new epoch
  // begins.
  static void expectAppendedOrder(const std::vector<std::string>& packets) {
    const auto isWrong = [](const std::string& a, const std::string& b) {
      return std::stol(a) >= std::stol(b);
    };
    EXPECT_EQ(std::ranges::adjacent_find(packets, isWrong), packets.end());
  }

  EventLoop& loop_;
  std::mt19937_64 random_;
  SimulatedLogDirectory directory_;
  channel::LogSettings options_;
  std::unique_ptr<LogRun> run_;
  std::vector<std::string> applied_;
  std::uint64_t epoch_ = 0;
  int number_ = 0;
};

TEST(LogProperty, NothingAppliedIsLostOverAThousandSeeds) {
  for (std::uint64_t seed = 0; seed < 1000 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    EventLoop loop;
    simulatedNow = TimePoint(std::chrono::hours(1));
    LoopImpl::of(loop).useClock([] { return simulatedNow; });
    RandomRuns(loop, seed).execute();
  }
}

}  // namespace
}  // namespace stormo::test
