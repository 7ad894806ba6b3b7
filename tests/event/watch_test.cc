#include <gmock/gmock.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

#include "base/counters.h"
#include "event/loop_impl.h"
#include "support/loop_fixture.h"
#include "sys/unique_fd.h"

namespace stormo {
namespace {

using namespace std::chrono_literals;

struct Pipe {
  Pipe() {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    out.reset(ends[0]);
    in.reset(ends[1]);
  }
  void write() const { EXPECT_EQ(::write(in.get(), "x", 1), 1); }
  void read() const {
    char byte;
    EXPECT_EQ(::read(out.get(), &byte, 1), 1);
  }
  UniqueFd out;
  UniqueFd in;
};

class WatchTest : public test::LoopTest {
 protected:
  EventLoop::WatchId watch(const Pipe& pipe, std::function<void()> onReady) {
    return loop.watch(pipe.out.get(), EPOLLIN, [onReady](std::uint32_t) { onReady(); });
  }
};

TEST_F(WatchTest, CallsInEachTurnWithAnEvent) {
  const Pipe pipe;
  std::uint32_t seen = 0;
  int calls = 0;
  const auto id = loop.watch(pipe.out.get(), EPOLLIN, [&](std::uint32_t events) {
    seen = events;
    ++calls;
  });
  EXPECT_NE(id, 0u);
  turn();
  EXPECT_EQ(calls, 0);
  pipe.write();
  turn();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(seen, static_cast<std::uint32_t>(EPOLLIN));
  turn();
  EXPECT_EQ(calls, 2);  // level-triggered: it was not read
  pipe.read();
  turn();
  EXPECT_EQ(calls, 2);
  loop.unwatch(id);
}

TEST_F(WatchTest, RewatchChangesTheEvents) {
  const Pipe pipe;
  int calls = 0;
  const auto id = watch(pipe, [&] { ++calls; });
  pipe.write();
  loop.rewatch(id, 0);
  turn();
  EXPECT_EQ(calls, 0);
  loop.rewatch(id, EPOLLIN);
  turn();
  EXPECT_EQ(calls, 1);
  loop.unwatch(id);
}

TEST_F(WatchTest, AHandlerMayUnwatchItself) {
  const Pipe pipe;
  int calls = 0;
  EventLoop::WatchId id = 0;
  id = watch(pipe, [&] {
    ++calls;
    loop.unwatch(id);
  });
  pipe.write();
  settle();
  EXPECT_EQ(calls, 1);
  loop.unwatch(id);  // harmless
}

TEST_F(WatchTest, AHandlerMayUnwatchItselfAndWatchAgain) {
  const Pipe pipe;
  int old = 0;
  int fresh = 0;
  EventLoop::WatchId id = 0;
  EventLoop::WatchId next = 0;
  id = watch(pipe, [&] {
    ++old;
    loop.unwatch(id);
    next = watch(pipe, [&] {
      ++fresh;
      pipe.read();
    });
  });
  pipe.write();
  settle();
  EXPECT_EQ(old, 1);
  EXPECT_EQ(fresh, 1);
  EXPECT_NE(id, next);
  loop.unwatch(id);  // stale: must not affect the watch that reuses the slot
  pipe.write();
  turn();
  EXPECT_EQ(fresh, 2);
  loop.unwatch(next);
}

TEST_F(WatchTest, AnEventOfAnUnwatchedDescriptorIsDropped) {
  const Pipe first;
  const Pipe second;
  const Pipe third;
  int calls = 0;
  EventLoop::WatchId one = 0;
  EventLoop::WatchId other = 0;
  EventLoop::WatchId fresh = 0;
  const auto unwatchTheOther = [&](EventLoop::WatchId& otherId) {
    ++calls;
    loop.unwatch(otherId);
    // Takes the slot over: the stale event must not reach it.
    fresh = watch(third, [] { FAIL() << "nothing was written there"; });
  };
  one = watch(first, [&] { unwatchTheOther(other); });
  other = watch(second, [&] { unwatchTheOther(one); });
  first.write();
  second.write();
  turn();
  EXPECT_EQ(calls, 1);
  loop.unwatch(one);
  loop.unwatch(other);
  loop.unwatch(fresh);
}

TEST_F(WatchTest, AHandlerMayWatchManyMore) {
  std::vector<Pipe> pipes(600);  // more than a chunk of slots
  int calls = 0;
  std::vector<EventLoop::WatchId> ids;
  ids.push_back(watch(pipes[0], [&] {
    pipes[0].read();
    for (std::size_t i = 1; i < pipes.size(); ++i) ids.push_back(watch(pipes[i], [&] { ++calls; }));
  }));
  pipes[0].write();
  turn();
  pipes[599].write();
  turn();
  EXPECT_EQ(calls, 1);
  for (const auto id : ids) loop.unwatch(id);
}

TEST_F(WatchTest, StopInAHandlerEndsRunAfterTheTurn) {
  const Pipe pipe;
  bool ran = false;
  const auto id = watch(pipe, [&] {
    loop.stop();
    pipe.read();
    ran = true;
  });
  pipe.write();
  loop.run();
  EXPECT_TRUE(ran);
  loop.unwatch(id);
}

TEST_F(WatchTest, ATaskDeferredByAHandlerRunsInTheNextTurn) {
  const Pipe pipe;
  bool ran = false;
  const auto id = watch(pipe, [&] {
    pipe.read();
    loop.defer([&] { ran = true; });
  });
  pipe.write();
  turn();
  EXPECT_FALSE(ran);
  loop.turn(1h);  // does not wait
  EXPECT_TRUE(ran);
  loop.unwatch(id);
}

TEST_F(WatchTest, AHandlerThatThrowsIsCountedAndCalledAgain) {
  const Pipe pipe;
  int calls = 0;
  const auto id = watch(pipe, [&] {
    ++calls;
    throw std::runtime_error("oops");
  });
  pipe.write();
  turn();
  turn();
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(LoopImpl::of(loop).counters().handlerErrors.get(), 2u);
  loop.unwatch(id);
}

TEST_F(WatchTest, WatchThrowsForADescriptorThatCannotBeWatched) {
  EXPECT_THROW(loop.watch(-1, EPOLLIN, [](std::uint32_t) {}), std::system_error);
  const Pipe pipe;
  const auto id = watch(pipe, [] {});
  EXPECT_THROW(watch(pipe, [] {}), std::system_error);
  EXPECT_THROW(loop.rewatch(0, EPOLLIN), std::logic_error);
  loop.unwatch(id);
}

TEST_F(WatchTest, WaitsAreRoundedUpToMilliseconds) {
  const auto begin = std::chrono::steady_clock::now();
  loop.turn(1500us);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 1500us);
}

/// A sink for descriptors that are not watched by EventLoop::watch().
struct Sink final : EventSink {
  void onReady(Handle id, std::uint32_t) override { seen.push_back(id); }
  std::vector<Handle> seen;
};

TEST_F(WatchTest, EventsReachTheSinkThatAddedTheirDescriptorUntilItIsRemoved) {
  const Pipe pipe;
  pipe.write();
  Sink sink;
  Sink other;
  const auto tag = LoopImpl::of(loop).addSink(sink);
  const auto otherTag = LoopImpl::of(loop).addSink(other);
  EXPECT_NE(tag, otherTag);
  const Handle id{.index = 77, .generation = 5};
  EXPECT_TRUE(LoopImpl::of(loop).add(pipe.out.get(), EPOLLIN, tag, id));
  turn();
  EXPECT_EQ(sink.seen, std::vector{id});
  LoopImpl::of(loop).removeSink(tag);
  turn();
  EXPECT_EQ(sink.seen.size(), 1u);
  EXPECT_TRUE(other.seen.empty());
  LoopImpl::of(loop).removeSink(otherTag);
}

/// Writes into a pipe at the end of a turn, then dispatches what has arrived.
struct DispatchesAtTurnEnd final : TurnWork {
  void onDispatched() override {}
  void onTurnEnd() override {
    calls += "end ";
    pipe.write();
    LoopImpl::current().dispatchArrived();
    calls += "dispatched ";
  }
  const Pipe pipe;
  std::string calls;
};

TEST_F(WatchTest, WhatArrivesAtTheEndOfATurnCanBeDispatchedInThatTurn) {
  auto made = std::make_unique<DispatchesAtTurnEnd>();
  DispatchesAtTurnEnd& work = *made;
  LoopImpl::of(loop).install(std::move(made));
  watch(work.pipe, [&] {
    work.pipe.read();
    work.calls += "read ";
  });
  turn();
  EXPECT_EQ(work.calls, "end read dispatched ");
}

}  // namespace
}  // namespace stormo
