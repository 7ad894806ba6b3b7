#include <gmock/gmock.h>
#include <signal.h>
#include <stormo/run_blocking.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/counters.h"
#include "event/loop_impl.h"
#include "event/process_life.h"
#include "support/loop_fixture.h"

namespace stormo {
namespace {

using testing::ElementsAre;

constexpr std::size_t kThreads = 2;
constexpr std::size_t kWaitingMax = 3;

class RunBlockingTest : public test::LoopTest {
 protected:
  static void SetUpTestSuite() {
    static const bool kIsSet = [] {
      setBlockingLimits({.threads = kThreads, .waitingMax = kWaitingMax});
      return true;
    }();
    ASSERT_TRUE(kIsSet);
  }
  ~RunBlockingTest() override { EXPECT_EQ(UnfinishedWork::count(), 0u); }
};

TEST_F(RunBlockingTest, WorkRunsInAThreadAndThenOnTheLoopWithItsResult) {
  std::thread::id workedOn;
  std::thread::id finishedOn;
  std::string result;
  EXPECT_EQ(runBlocking(
                [&] {
                  workedOn = std::this_thread::get_id();
                  return std::string("result");
                },
                [&](std::string returned) {
                  finishedOn = std::this_thread::get_id();
                  result = std::move(returned);
                }),
            BlockingStatus::Accepted);
  EXPECT_TRUE(turnUntil([&] { return !result.empty(); }));
  EXPECT_EQ(result, "result");
  EXPECT_NE(workedOn, std::this_thread::get_id());
  EXPECT_EQ(finishedOn, std::this_thread::get_id());
}

TEST_F(RunBlockingTest, WorkMayReturnVoidOrAMoveOnlyType) {
  bool isDone = false;
  int moved = 0;
  (void)runBlocking([] {}, [&] { isDone = true; });
  (void)runBlocking([owned = std::make_unique<int>(7)]() mutable { return std::move(owned); },
                    [&](std::unique_ptr<int> owned) { moved = *owned; });
  EXPECT_TRUE(turnUntil([&] { return isDone && moved != 0; }));
  EXPECT_EQ(moved, 7);
}

TEST_F(RunBlockingTest, AnExceptionOfWorkReachesOnErrorInPlaceOfThen) {
  std::vector<std::string> errors;
  const auto then = [] { ADD_FAILURE(); };
  const auto onError = [&](const std::exception& error) { errors.emplace_back(error.what()); };
  (void)runBlocking([] { throw std::out_of_range("too far"); }, then, onError);
  EXPECT_TRUE(turnUntil([&] { return errors.size() == 1; }));
  (void)runBlocking([] { throw 7; }, then, onError);
  EXPECT_TRUE(turnUntil([&] { return errors.size() == 2; }));
  EXPECT_THAT(errors, ElementsAre("too far", "not a std::exception"));
  EXPECT_EQ(LoopImpl::of(loop).counters().handlerErrors.get(), 0u);
}

TEST_F(RunBlockingTest, WithoutOnErrorAnExceptionOfWorkIsCountedAsAHandlersException) {
  (void)runBlocking([] { throw std::runtime_error("oops"); }, [] { ADD_FAILURE(); });
  const Counter& errors = LoopImpl::of(loop).counters().handlerErrors;
  EXPECT_TRUE(turnUntil([&] { return errors.get() == 1; }));
  (void)runBlocking([] {}, [] { throw std::runtime_error("of then"); });
  EXPECT_TRUE(turnUntil([&] { return errors.get() == 2; }));
}

TEST_F(RunBlockingTest, AboveItsLimitsItIsFullAndCallsNothing) {
  std::promise<void> gate;
  const std::shared_future open = gate.get_future().share();
  std::size_t finished = 0;
  for (std::size_t i = 0; i < kThreads + kWaitingMax; ++i) {
    EXPECT_EQ(runBlocking([open] { open.wait(); }, [&] { ++finished; }), BlockingStatus::Accepted);
  }
  EXPECT_EQ(runBlocking([] { ADD_FAILURE(); }, [] { ADD_FAILURE(); }), BlockingStatus::Full);
  EXPECT_EQ(UnfinishedWork::count(), 1u);
  gate.set_value();
  EXPECT_TRUE(turnUntil([&] { return finished == kThreads + kWaitingMax; }));
  EXPECT_EQ(runBlocking([] {}, [&] { ++finished; }), BlockingStatus::Accepted);
  EXPECT_TRUE(turnUntil([&] { return finished == kThreads + kWaitingMax + 1; }));
}

TEST_F(RunBlockingTest, AsManyCallsAsThereAreThreadsRunAtOnce) {
  std::promise<void> first;
  const std::shared_future firstRuns = first.get_future().share();
  std::size_t finished = 0;
  (void)runBlocking([firstRuns] { firstRuns.wait(); }, [&] { ++finished; });
  (void)runBlocking([&] { first.set_value(); }, [&] { ++finished; });
  EXPECT_TRUE(turnUntil([&] { return finished == 2; }));
}

TEST_F(RunBlockingTest, SignalsAreBlockedInItsThreads) {
  bool isBlocked = false;
  (void)runBlocking(
      [] {
        sigset_t blocked;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
        return sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGUSR1) == 1;
      },
      [&](bool result) { isBlocked = result; });
  EXPECT_TRUE(turnUntil([&] { return UnfinishedWork::count() == 0; }));
  EXPECT_TRUE(isBlocked);
}

TEST_F(RunBlockingTest, FunctionsAreDestroyedOnTheLoopsThread) {
  struct Owner {
    explicit Owner(std::thread::id& at) : destroyedOn(at) {}
    ~Owner() { destroyedOn = std::this_thread::get_id(); }
    std::thread::id& destroyedOn;
  };
  std::thread::id ofWork;
  std::thread::id ofThen;
  (void)runBlocking([owner = std::make_shared<Owner>(ofWork)] {},
                    [owner = std::make_shared<Owner>(ofThen)] {});
  EXPECT_TRUE(turnUntil([&] { return UnfinishedWork::count() == 0; }));
  turn();
  EXPECT_EQ(ofWork, std::this_thread::get_id());
  EXPECT_EQ(ofThen, std::this_thread::get_id());
}

TEST_F(RunBlockingTest, LimitsCannotBeSetAfterTheFirstCall) {
  bool isDone = false;
  (void)runBlocking([] {}, [&] { isDone = true; });
  EXPECT_TRUE(turnUntil([&] { return isDone; }));
  EXPECT_THROW(setBlockingLimits({}), std::logic_error);
  EXPECT_THROW(setBlockingLimits({.threads = 0}), std::invalid_argument);
}

TEST_F(RunBlockingTest, AForkedProcessHasThreadsOfItsOwn) {
  bool isDone = false;
  (void)runBlocking([] {}, [&] { isDone = true; });
  EXPECT_TRUE(turnUntil([&] { return isDone; }));
  const pid_t child = ::fork();
  if (child == 0) {
    bool isDoneInChild = false;
    (void)runBlocking([] { return ::getpid(); },
                      [&](pid_t pid) { isDoneInChild = pid == ::getpid(); });
    ::_exit(turnUntil([&] { return isDoneInChild; }) ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(RunBlockingTest, AProcessThatForksOthersMakesNoThreads) {
  LoopImpl::of(loop).forks = true;
  EXPECT_THROW((void)runBlocking([] {}, [] {}), std::logic_error);
}

TEST(RunBlocking, WithoutItsLoopAResultIsDropped) {
  std::promise<void> gate;
  const std::shared_future open = gate.get_future().share();
  std::promise<void> dropped;
  struct Owner {
    explicit Owner(std::promise<void>& atEnd) : end(atEnd) {}
    ~Owner() { end.set_value(); }
    std::promise<void>& end;
  };
  {
    const EventLoop loop;
    (void)runBlocking([open] { open.wait(); },
                      [owner = std::make_unique<Owner>(dropped)] { ADD_FAILURE(); });
  }
  gate.set_value();
  dropped.get_future().wait();
}

}  // namespace
}  // namespace stormo
