#include <gmock/gmock.h>
#include <stormo/timer.h>

#include <stdexcept>
#include <string>
#include <thread>

#include "base/counters.h"
#include "event/loop_impl.h"
#include "support/loop_fixture.h"

namespace stormo {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class EventLoopTest : public test::LoopTest {};

TEST_F(EventLoopTest, IsTheCurrentOneOfItsThreadOnly) {
  EXPECT_EQ(&EventLoop::current(), &loop);
  EventLoop* elsewhere = &loop;
  std::thread([&] { elsewhere = EventLoop::currentOrNull(); }).join();
  EXPECT_EQ(elsewhere, nullptr);
}

TEST(EventLoop, AThreadMayHaveOneAfterAnother) {
  { const EventLoop first; }
  EXPECT_EQ(EventLoop::currentOrNull(), nullptr);
  const EventLoop second;
  EXPECT_EQ(EventLoop::currentOrNull(), &second);
}

TEST(EventLoop, WhatPendingHandlersOwnMayStillFindItWhileItEnds) {
  struct Owner {
    ~Owner() { EXPECT_FALSE(Timer::cancel(0)); }
  };
  EventLoop loop;
  Timer::once(1h, [owner = std::make_shared<Owner>()] {});
  loop.defer([owner = std::make_shared<Owner>()] {});
}

TEST(EventLoopDeathTest, AThreadHasOneAtATime) {
  const EventLoop first;
  EXPECT_DEATH(EventLoop(), "currentLoop == nullptr");
}

TEST(EventLoopDeathTest, AHandlerCannotTurnTheLoopThatRunsIt) {
  EventLoop loop;
  loop.defer([&] { loop.turn(0s); });
  EXPECT_DEATH(loop.turn(0s), "inTurn_");
  loop.defer([&] { loop.run(); });
  EXPECT_DEATH(loop.turn(0s), "inTurn_");
}

TEST(EventLoopDeathTest, SomeLoopHasToBeThere) {
  EXPECT_DEATH(EventLoop::current(), "currentLoop != nullptr");
}

TEST_F(EventLoopTest, RunsDeferredTasksInOrder) {
  std::string order;
  loop.defer([&] { order += "a"; });
  loop.defer([&] { order += "b"; });
  EXPECT_EQ(order, "");
  turn();
  EXPECT_EQ(order, "ab");
  turn();
  EXPECT_EQ(order, "ab");
}

TEST_F(EventLoopTest, ATaskDeferredByATaskRunsInTheNextTurn) {
  std::string order;
  loop.defer([&] {
    order += "a";
    loop.defer([&] { order += "b"; });
  });
  turn();
  EXPECT_EQ(order, "a");
  loop.turn(1h);  // does not wait
  EXPECT_EQ(order, "ab");
}

TEST_F(EventLoopTest, ATaskThatThrowsIsCountedAndTheOthersRun) {
  bool ran = false;
  loop.defer([] { throw std::runtime_error("oops"); });
  loop.defer([] { throw 7; });
  loop.defer([&] { ran = true; });
  turn();
  EXPECT_TRUE(ran);
  EXPECT_EQ(LoopImpl::of(loop).counters().handlerErrors.get(), 2u);
}

TEST_F(EventLoopTest, StopEndsRunAfterTheTurnAndRunMayBeCalledAgain) {
  int turns = 0;
  for (int i = 0; i < 2; ++i) {
    loop.defer([&] {
      loop.stop();
      loop.defer([&] { ++turns; });
    });
    loop.run();
    EXPECT_EQ(turns, i);  // a task deferred to the next turn waits for the next run
  }
  turn();
  EXPECT_EQ(turns, 2);
}

TEST_F(EventLoopTest, StopInATimersHandlerEndsRun) {
  Timer::once(1ms, [&] { loop.stop(); });
  loop.run();
}

TEST_F(EventLoopTest, TimeStandsStillWithinATurn) {
  EventLoop::TimePoint first;
  EventLoop::TimePoint second;
  loop.defer([&] { first = loop.now(); });
  loop.defer([&] {
    while (std::chrono::steady_clock::now() <= first) {
    }
    second = loop.now();
  });
  turn();
  EXPECT_EQ(first, second);
  turn();
  EXPECT_GT(loop.now(), first);
}

/// Writes down the stages of a turn.
class Recorder final : StageWorker {
 public:
  explicit Recorder(EventLoop& loop) : loop_(LoopImpl::of(loop)) {
    for (std::size_t i = 0; i < kStageCount; ++i) loop_.addStage(static_cast<Stage>(i), *this);
  }
  ~Recorder() {
    for (std::size_t i = 0; i < kStageCount; ++i) loop_.removeStage(static_cast<Stage>(i), *this);
  }
  void onStage(Stage stage) override {
    seen.push_back(stage);
    if (onEach) onEach(stage);
  }

  std::vector<Stage> seen;
  std::function<void(Stage)> onEach;

 private:
  LoopImpl& loop_;
};

TEST_F(EventLoopTest, ATurnReadsAndDecodesBeforeItFlushesLinksThenGroupsThenConnections) {
  Recorder recorder(loop);
  std::vector<Stage> stagesBefore;
  loop.defer([&] { stagesBefore = recorder.seen; });
  turn();
  EXPECT_EQ(stagesBefore, std::vector{Stage::ReadBacklog});
  EXPECT_TRUE(std::is_sorted(recorder.seen.begin(), recorder.seen.end()));
  EXPECT_EQ(recorder.seen.size(), kStageCount);
  EXPECT_EQ(recorder.seen.at(1), Stage::FlushLinks);
  EXPECT_EQ(recorder.seen.back(), Stage::Free);
}

TEST_F(EventLoopTest, WorkRequestedWhileDecodingIsDoneInTheSameTurnAndTheNextOneWaits) {
  bool fired = false;
  Timer::once(20ms, [&] { fired = true; });
  loop.defer([&] { LoopImpl::of(loop).requestTurn(); });
  turn();
  ASSERT_FALSE(fired) << "this machine is too slow for the test to mean anything";
  loop.turn(1h);  // until the timer
  EXPECT_TRUE(fired);
}

TEST_F(EventLoopTest, WorkRequestedWhileFlushingDoesNotWait) {
  Recorder recorder(loop);
  int requests = 0;
  recorder.onEach = [&](Stage stage) {
    if (stage == Stage::FlushGroups && requests++ == 0) LoopImpl::of(loop).requestTurn();
  };
  turn();
  loop.turn(1h);  // does not wait
  EXPECT_EQ(requests, 2);
}

TEST_F(EventLoopTest, CountsItsTurns) {
  turn();
  turn();
  EXPECT_EQ(LoopImpl::of(loop).counters().turns.get(), 2u);
}

TEST_F(EventLoopTest, CountsWhereItIsTold) {
  Counters shared;
  LoopImpl::of(loop).useCounters(shared);
  turn();
  EXPECT_EQ(shared.turns.get(), 1u);
  EXPECT_EQ(&LoopImpl::of(loop).counters(), &shared);
}

}  // namespace
}  // namespace stormo
