#include <gmock/gmock.h>
#include <stormo/timer.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/counters.h"
#include "event/loop_impl.h"
#include "event/process_life.h"
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

TEST(EventLoop, AThreadMayHaveLoopsOneAfterAnother) {
  { const EventLoop first; }
  EXPECT_EQ(EventLoop::currentOrNull(), nullptr);
  const EventLoop second;
  EXPECT_EQ(EventLoop::currentOrNull(), &second);
}

TEST(EventLoop, PendingHandlersMayUseTheLoopWhileItIsDestroyed) {
  struct Owner {
    ~Owner() { EXPECT_FALSE(Timer::cancel(0)); }
  };
  EventLoop loop;
  Timer::once(1h, [owner = std::make_shared<Owner>()] {});
  loop.defer([owner = std::make_shared<Owner>()] {});
}

TEST(EventLoopDeathTest, AThreadHasOneLoopAtATime) {
  const EventLoop first;
  EXPECT_DEATH(EventLoop(), "currentLoop == nullptr");
}

TEST(EventLoopDeathTest, AHandlerMustNotTurnTheLoop) {
  EventLoop loop;
  loop.defer([&] { loop.turn(0s); });
  EXPECT_DEATH(loop.turn(0s), "inTurn_");
  loop.defer([&] { loop.run(); });
  EXPECT_DEATH(loop.turn(0s), "inTurn_");
}

TEST(EventLoopDeathTest, CurrentNeedsALoop) {
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

TEST_F(EventLoopTest, ATaskThatThrowsIsCountedAndOtherTasksRun) {
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

TEST_F(EventLoopTest, NowIsConstantWithinATurn) {
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

/// Records which part of its turn the loop has reached.
struct Recorder final : TurnWork {
  void onDispatched() override { seen += "dispatched "; }
  void onTurnEnd() override {
    seen += "end ";
    if (onEnd) onEnd();
  }
  std::string seen;
  std::function<void()> onEnd;
};

class TurnWorkTest : public test::LoopTest {
 protected:
  TurnWorkTest() {
    auto made = std::make_unique<Recorder>();
    recorder = made.get();
    LoopImpl::of(loop).install(std::move(made));
  }
  Recorder* recorder;
};

TEST_F(TurnWorkTest, RunsAfterTheEventsAndAgainAfterTasksAndTimers) {
  loop.defer([&] { recorder->seen += "task "; });
  Timer::once(0ms, [&] { recorder->seen += "timer "; });
  turn();
  EXPECT_EQ(recorder->seen, "dispatched task timer end ");
}

TEST_F(TurnWorkTest, WorkRequestedWhileDecodingIsDoneInTheSameTurnAndTheNextOneWaits) {
  bool fired = false;
  Timer::once(20ms, [&] { fired = true; });
  loop.defer([&] { LoopImpl::of(loop).requestTurn(); });
  turn();
  ASSERT_FALSE(fired) << "this machine is too slow for the test to mean anything";
  loop.turn(1h);  // until the timer
  EXPECT_TRUE(fired);
}

TEST_F(TurnWorkTest, WorkRequestedAtTheEndOfATurnDoesNotWait) {
  int ends = 0;
  recorder->onEnd = [&] {
    if (++ends == 1) LoopImpl::of(loop).requestTurn();
  };
  turn();
  loop.turn(1h);  // does not wait
  EXPECT_EQ(ends, 2);
}

TEST(TurnWork, EndsWithItsLoopAfterTheLoopsLifetime) {
  struct Work final : TurnWork {
    explicit Work(const LoopImpl& of) : lifetime(of.lifetime()) {}
    ~Work() override {
      EXPECT_NE(EventLoop::currentOrNull(), nullptr);
      EXPECT_TRUE(lifetime.expired());
    }
    void onDispatched() override { EXPECT_FALSE(lifetime.expired()); }
    void onTurnEnd() override {}
    std::weak_ptr<const void> lifetime;
  };
  EventLoop loop;
  LoopImpl& impl = LoopImpl::of(loop);
  impl.install(std::make_unique<Work>(impl));
  loop.turn(0ms);
}

TEST(TurnWorkDeathTest, SecondTurnWorkOfALoopAborts) {
  EventLoop loop;
  LoopImpl::of(loop).install(std::make_unique<Recorder>());
  EXPECT_DEATH(LoopImpl::of(loop).install(std::make_unique<Recorder>()), "turnWork_ == nullptr");
}

TEST_F(EventLoopTest, CountsTurns) {
  turn();
  turn();
  EXPECT_EQ(LoopImpl::of(loop).counters().turns.get(), 2u);
}

TEST_F(EventLoopTest, CountsIntoTheGivenCounters) {
  Counters shared;
  LoopImpl::of(loop).useCounters(shared);
  turn();
  EXPECT_EQ(shared.turns.get(), 1u);
  EXPECT_EQ(&LoopImpl::of(loop).counters(), &shared);
}

TEST(UnfinishedWork, CountsThePartsThatHaveSome) {
  {
    UnfinishedWork one;
    UnfinishedWork other;
    EXPECT_EQ(UnfinishedWork::count(), 0u);
    one.set(true);
    one.set(true);
    other.set(true);
    EXPECT_EQ(UnfinishedWork::count(), 2u);
    one.set(false);
    one.set(false);
    EXPECT_EQ(UnfinishedWork::count(), 1u);
  }
  EXPECT_EQ(UnfinishedWork::count(), 0u);
}

}  // namespace
}  // namespace stormo
