// Tasks that other threads post to a loop.
#include <gmock/gmock.h>
#include <poll.h>

#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/counters.h"
#include "event/loop_impl.h"
#include "support/loop_fixture.h"

namespace stormo {
namespace {

using namespace std::chrono_literals;

class PostTest : public test::LoopTest {
 protected:
  [[nodiscard]] bool isWoken() const {
    pollfd wakeUp{.fd = LoopImpl::current().inbox()->fd(), .events = POLLIN, .revents = 0};
    return ::poll(&wakeUp, 1, 0) == 1;
  }
};

TEST_F(PostTest, TasksOfAThreadRunOnTheLoopInTheOrderOfPosting) {
  std::vector<int> order;
  std::thread::id ranOn;
  std::thread([&] {
    for (int i = 0; i < 100; ++i) {
      loop.post([&, i] {
        order.push_back(i);
        ranOn = std::this_thread::get_id();
      });
    }
  }).join();
  EXPECT_TRUE(order.empty());
  turn();  // one turn takes all
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(ranOn, std::this_thread::get_id());
}

TEST_F(PostTest, ManyPostsWakeTheLoopOnceAndItWaitsAgainAfterwards) {
  for (int i = 0; i < 100; ++i) loop.post([] {});
  EXPECT_TRUE(isWoken());
  turn();
  EXPECT_FALSE(isWoken());
  loop.post([] {});
  EXPECT_TRUE(isWoken());
}

TEST_F(PostTest, APostWakesALoopThatWaits) {
  bool ran = false;
  std::thread poster([&] {
    loop.post([&] {
      ran = true;
      loop.stop();
    });
  });
  loop.run();  // without the wake-up it would wait for ever
  poster.join();
  EXPECT_TRUE(ran);
}

TEST_F(PostTest, ATaskPostedByATaskRunsInTheNextTurn) {
  std::string order;
  loop.post([&] {
    order += "a";
    loop.post([&] { order += "b"; });
  });
  turn();
  EXPECT_EQ(order, "a");
  loop.turn(1h);  // does not wait
  EXPECT_EQ(order, "ab");
}

TEST_F(PostTest, PostsOfManyThreadsAllRun) {
  constexpr int kThreads = 4;
  constexpr int kEach = 1000;
  int ran = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) loop.post([&] { ++ran; });
    });
  }
  EXPECT_TRUE(turnUntil([&] { return ran == kThreads * kEach; }));
}

TEST_F(PostTest, APostedTaskThatThrowsIsCountedAndTheOthersRun) {
  bool ran = false;
  loop.post([] { throw std::runtime_error("oops"); });
  loop.post([&] { ran = true; });
  turn();
  EXPECT_TRUE(ran);
  EXPECT_EQ(LoopImpl::of(loop).counters().handlerErrors.get(), 1u);
}

TEST_F(PostTest, AStoppedLoopKeepsPostedTasksForItsNextTurn) {
  bool ran = false;
  loop.post([&] { loop.stop(); });
  loop.run();
  loop.post([&] { ran = true; });
  EXPECT_FALSE(ran);
  turn();
  EXPECT_TRUE(ran);
}

TEST(Post, AHandleOfADestroyedLoopRefusesTasks) {
  std::optional<EventLoop> loop(std::in_place);
  const EventLoop::Handle handle = loop->handle();
  EXPECT_TRUE(handle.post([] {}));
  loop.reset();
  bool ran = false;
  EXPECT_FALSE(handle.post([&] { ran = true; }));
  const EventLoop another;
  EXPECT_FALSE(handle.post([&] { ran = true; }));
  EXPECT_FALSE(ran);
}

TEST(Post, TasksThatDidNotRunAreDestroyedWithTheLoopOnItsThread) {
  struct Owner {
    explicit Owner(std::thread::id& at) : destroyedOn(at) {}
    ~Owner() {
      destroyedOn = std::this_thread::get_id();
      EXPECT_NE(EventLoop::currentOrNull(), nullptr);
    }
    std::thread::id& destroyedOn;
  };
  std::thread::id destroyedOn;
  {
    EventLoop loop;
    std::thread([&] { loop.post([owner = std::make_shared<Owner>(destroyedOn)] {}); }).join();
  }
  EXPECT_EQ(destroyedOn, std::this_thread::get_id());
}

TEST(PostDeathTest, DeferFromAnotherThreadAborts) {
  EXPECT_DEATH(
      {
        EventLoop loop;
        std::thread([&] { loop.defer([] {}); }).join();
      },
      "currentLoop == this");
}

}  // namespace
}  // namespace stormo
