// The order of a turn: links, groups, connections, observers of the flush, and then what is freed.
#include "net/reactor.h"

#include <functional>

#include "net/net_fixture.h"

namespace stormo::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Groups without members, and an observer: both call a function of the test.
struct TurnProbe final : GroupOutput, FlushObserver {
  explicit TurnProbe(Reactor& of) : reactor(of) {
    reactor.add(static_cast<GroupOutput&>(*this));
    reactor.add(static_cast<FlushObserver&>(*this));
  }
  ~TurnProbe() {
    reactor.remove(static_cast<GroupOutput&>(*this));
    reactor.remove(static_cast<FlushObserver&>(*this));
  }
  void fanOut() override { call("fan-out"); }
  void clearBatches() override { call("clear"); }
  void onFlushed() override { call("flushed"); }
  void call(const std::string& step) const {
    if (onStep) onStep(step);
  }

  Reactor& reactor;
  std::function<void(const std::string& step)> onStep;
};

class ReactorTest : public NetTest {
 protected:
  ReactorTest() { link.isLink = true; }

  Connected acceptLink() {
    link.codec = codec.get();
    test::SocketPair pair = test::unixPair();
    const ConnectionImpl* accepted = table.accept(std::move(pair.tested), link).value();
    return {accepted->id.packed(), std::move(pair.peer)};
  }

  Endpoint link;
  TurnProbe probe{reactor};
};

TEST_F(ReactorTest, FlushesLinksThenGroupsThenConnectionsThenCallsObserversThenFrees) {
  Connected client = acceptQuietly();
  Connected closing = acceptQuietly();
  Connected upstream = acceptLink();
  (void)at(upstream).send("1");
  (void)at(client).send("2");
  at(closing).destroy();
  std::vector<std::string> seen;
  probe.onStep = [&](const std::string& step) {
    std::string line = step;
    if (upstream.peer.drain() == "1\n") line += " link";
    if (client.peer.drain() == "2\n") line += " client";
    if (table.size() == 2) line += " freed";
    seen.push_back(line);
  };
  turn();
  EXPECT_THAT(seen, ElementsAre("fan-out link", "clear link", "flushed link client"));
  EXPECT_EQ(table.size(), 2u);
}

TEST_F(ReactorTest, OutputOfAnObserverLeavesInTheSameTurnIfItFlushesAgain) {
  Connected client = acceptQuietly();
  probe.onStep = [&](const std::string& step) {
    if (step != "flushed") return;
    (void)at(client).send("acknowledged");
    reactor.output.flushConnections();
    EXPECT_EQ(client.peer.take(), "acknowledged\n");
  };
  turn();
}

TEST_F(ReactorTest, OneAnswerToALinkIsReadBeforeTheFanOut) {
  Connected upstream = acceptLink();
  std::vector<std::string> story;
  probe.onStep = [&](const std::string& step) {
    if (step == "fan-out") story.push_back(step);
  };
  link.handlers.onMessage = [&](Connection& connection, Message message) {
    story.emplace_back(message.data);
    if (message.data == "third") return;
    (void)connection.send("more");
    upstream.peer.send(message.data == "first" ? "second\n" : "third\n");
  };
  loop.defer([&] {  // when this turn has read
    (void)at(upstream).send("request");
    upstream.peer.send("first\n");
  });
  turn();
  EXPECT_THAT(story, ElementsAre("first", "fan-out"));
  story.clear();
  turn();  // reads one answer, and then the answer to what that one made it send
  EXPECT_THAT(story, ElementsAre("second", "third", "fan-out"));
  story.clear();
  turn();
  EXPECT_THAT(story, ElementsAre("fan-out"));
}

TEST_F(ReactorTest, RemovedGroupsAndObserversAreNotCalled) {
  std::vector<std::string> steps;
  {
    TurnProbe brief(reactor);
    brief.onStep = [&](const std::string& step) { steps.push_back(step); };
    turn();
    EXPECT_THAT(std::exchange(steps, {}), ElementsAre("fan-out", "clear", "flushed"));
  }
  turn();
  EXPECT_THAT(steps, IsEmpty());
}

TEST_F(ReactorTest, AnObserverMayRemoveALaterOne) {
  std::vector<std::string> steps;
  auto later = std::make_unique<TurnProbe>(reactor);
  later->onStep = [&](const std::string& step) { steps.push_back(step); };
  probe.onStep = [&](const std::string& step) {
    if (step == "flushed") later.reset();
  };
  turn();
  EXPECT_THAT(steps, ElementsAre("fan-out", "clear"));
}

}  // namespace
}  // namespace stormo::net
