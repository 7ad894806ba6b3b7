// Tests of both buses, with a real server.
#include "channel/client/bus.h"

#include "channel/channel_fixture.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// A bus, and a record of its callbacks.
struct RecordedBus {
  RecordedBus(const std::string& url, const BusOptions& options = {}) : bus(makeBus(url, options)) {
    bus->onGroupMessage = [this](const GroupMessage& message) {
      calls.push_back("group " + std::string(message.group) + ": " +
                      std::string(message.message.data) +
                      (message.message.isBinary() ? " (binary)" : ""));
    };
    bus->onEvent = [this](std::string_view event, const Value& data) {
      calls.push_back("event " + std::string(event) + ": " + std::to_string(data.asInt()));
    };
    bus->onJob = [this](std::string_view queue, const Value& data) {
      calls.push_back("job " + std::string(queue) + ": " + std::to_string(data.asInt()));
    };
    bus->onConnect = [this] { calls.push_back("connect"); };
    bus->onClose = [this] { calls.push_back("close"); };
    bus->onDrain = [this] { calls.push_back("drain"); };
    bus->connect();
  }
  std::vector<std::string> take() { return std::exchange(calls, {}); }

  std::vector<std::string> calls;
  std::unique_ptr<Bus> bus;
};

class BusTest : public ChannelTest, public testing::WithParamInterface<const char*> {
 protected:
  BusTest() { start(); }

  std::string here() const { return url(GetParam()); }
  bool isStormo() const { return std::string_view(GetParam()) == "stormo"; }

  /// A bus that is connected.
  std::unique_ptr<RecordedBus> connected(const BusOptions& options = {}) {
    auto made = std::make_unique<RecordedBus>(here(), options);
    EXPECT_TRUE(turnUntil([&] { return made->bus->isConnected(); }));
    EXPECT_THAT(made->take(), ElementsAre("connect"));
    return made;
  }
  std::vector<std::string> await(RecordedBus& bus, std::size_t count) {
    EXPECT_TRUE(turnUntil([&] { return bus.calls.size() >= count; }));
    settle();
    return bus.take();
  }
  void restart() {
    const std::uint16_t at = port();
    kill();
    start(at);
  }
};

INSTANTIATE_TEST_SUITE_P(Dialects, BusTest, testing::Values("stormo", "frame"),
                         [](const auto& dialect) { return std::string(dialect.param); });

TEST_P(BusTest, GroupMessageReachesSubscribers) {
  auto a = connected(), b = connected();
  a->bus->subscribeGroup("123");
  settle();
  EXPECT_EQ(b->bus->publishToGroup("123", "ciao"), PublishStatus::Accepted);
  EXPECT_EQ(b->bus->publishToGroup("123", binary("\xff")), PublishStatus::Accepted);
  EXPECT_THAT(await(*a, 2), ElementsAre("group 123: ciao", "group 123: \xff (binary)"));
  EXPECT_THAT(b->take(), IsEmpty());
}

TEST_P(BusTest, UnsubscribedGroupsReceiveNothing) {
  auto a = connected();
  a->bus->subscribeGroup("1");
  a->bus->subscribeGroup("1");
  a->bus->unsubscribeGroup("1");
  a->bus->unsubscribeGroup("1");
  EXPECT_EQ(a->bus->publishToGroup("1", "x"), PublishStatus::Accepted);
  a->bus->subscribe({"end"});
  EXPECT_EQ(a->bus->publish({"end"}, 1, false), PublishStatus::Accepted);
  EXPECT_THAT(await(*a, 1), ElementsAre("event end: 1"));
}

TEST_P(BusTest, EventsQueuesAndPublishLoopWork) {
  auto a = connected();
  a->bus->subscribe({"news", "sport"});
  EXPECT_EQ(a->bus->publish({"news", "sport", "unused"}, 1, false), PublishStatus::Accepted);
  EXPECT_EQ(a->bus->publish({"news"}, 2, true), PublishStatus::Accepted);
  a->bus->unsubscribe({"sport"});
  EXPECT_EQ(a->bus->publish({"sport"}, 3, false), PublishStatus::Accepted);
  a->bus->watch({"jobs"});
  a->bus->reserve();
  EXPECT_EQ(a->bus->enqueue({"jobs"}, 4), PublishStatus::Accepted);
  EXPECT_THAT(await(*a, 4),
              ElementsAre("event news: 1", "event sport: 1", "event news: 2", "job jobs: 4"));
}

TEST_P(BusTest, RequestsBeforeConnectAreSentWhenConnected) {
  RecordedBus a(here());
  a.bus->subscribe({"news"});
  a.bus->subscribeGroup("g");
  a.bus->watch({"jobs"});
  a.bus->reserve();
  EXPECT_EQ(a.bus->publish({"news"}, 1, false), PublishStatus::Accepted);
  EXPECT_EQ(a.bus->publishToGroup("g", "2"), PublishStatus::Accepted);
  EXPECT_EQ(a.bus->enqueue({"jobs"}, 3), PublishStatus::Accepted);
  EXPECT_THAT(await(a, 4), ElementsAre("connect", "event news: 1", "group g: 2", "job jobs: 3"));
}

TEST_P(BusTest, ReconnectRestoresSubscriptionsAndSendsQueuedPublishesInOrder) {
  auto a = connected(), b = connected();
  for (auto* bus : {&a, &b}) {
    (*bus)->bus->subscribe({"news", "dropped"});
    (*bus)->bus->subscribeGroup("g");
    (*bus)->bus->subscribeGroup("left");
  }
  a->bus->unsubscribe({"dropped"});
  a->bus->unsubscribeGroup("left");
  a->bus->watch({"jobs"});
  a->bus->reserve();
  settle();

  const std::uint16_t at = port();
  kill();
  ASSERT_TRUE(turnUntil([&] { return !a->bus->isConnected() && !b->bus->isConnected(); }));
  EXPECT_THAT(a->take(), ElementsAre("close"));
  EXPECT_EQ(a->bus->publishToGroup("g", "1"), PublishStatus::Accepted);
  EXPECT_EQ(a->bus->publishToGroup("left", "2"), PublishStatus::Accepted);
  EXPECT_EQ(a->bus->publish({"dropped"}, 3, false), PublishStatus::Accepted);
  EXPECT_EQ(a->bus->publish({"news"}, 4, false), PublishStatus::Accepted);
  EXPECT_EQ(a->bus->enqueue({"jobs"}, 5), PublishStatus::Accepted);
  settle();
  EXPECT_THAT(a->take(), IsEmpty());

  start(at);
  EXPECT_THAT(await(*a, 4), ElementsAre("connect", "group g: 1", "event news: 4", "job jobs: 5"));
  ASSERT_TRUE(turnUntil([&] { return b->bus->isConnected(); }));
  if (isStormo()) {  // Stormo's dialect replays what was published before it reconnected
    EXPECT_THAT(await(*b, 6), ElementsAre("close", "connect", "group g: 1", "group left: 2",
                                          "event dropped: 3", "event news: 4"));
  }
  b->take();
  EXPECT_EQ(a->bus->publishToGroup("left", "6"), PublishStatus::Accepted);
  EXPECT_EQ(a->bus->publish({"dropped"}, 7, false), PublishStatus::Accepted);
  EXPECT_THAT(await(*b, 2), ElementsAre("group left: 6", "event dropped: 7"));
}

TEST_P(BusTest, UsedReservationIsNotRestoredOnReconnect) {
  auto a = connected();
  a->bus->watch({"jobs"});
  a->bus->reserve();
  EXPECT_EQ(a->bus->enqueue({"jobs"}, 1), PublishStatus::Accepted);
  EXPECT_THAT(await(*a, 1), ElementsAre("job jobs: 1"));
  restart();
  ASSERT_TRUE(turnUntil([&] { return a->calls.size() == 2; }));
  EXPECT_THAT(a->take(), ElementsAre("close", "connect"));
  EXPECT_EQ(a->bus->enqueue({"jobs"}, 2), PublishStatus::Accepted);
  a->bus->subscribe({"end"});
  EXPECT_EQ(a->bus->publish({"end"}, 3, false), PublishStatus::Accepted);
  EXPECT_THAT(await(*a, 1), ElementsAre("event end: 3"));
  a->bus->reserve();
  EXPECT_THAT(await(*a, 1), ElementsAre("job jobs: 2"));
}

TEST_P(BusTest, WithoutALinkPublishReturnsFullAtTheLimit) {
  const std::uint16_t at = port();
  const std::string there = here();
  kill();
  RecordedBus a(there, {.keptBytesMax = 5000});
  a.bus->subscribeGroup("g");
  std::vector<std::string> expected = {"connect"};
  int taken = 0;
  const std::string text(500, '.');
  while (taken < 100 &&
         a.bus->publishToGroup("g", std::to_string(taken) + text) == PublishStatus::Accepted) {
    expected.push_back("group g: " + std::to_string(taken++) + text);
  }
  EXPECT_GT(taken, 5);
  EXPECT_LT(taken, 10);
  EXPECT_EQ(a.bus->publishToGroup("g", text), PublishStatus::Full);
  start(at);
  EXPECT_TRUE(turnUntil([&] { return a.calls.size() == expected.size() + 1; }));
  // onDrain is called in the turn in which the queued messages were sent.
  EXPECT_EQ(std::erase(a.calls, "drain"), 1u);
  EXPECT_EQ(a.take(), expected);
  EXPECT_EQ(a.bus->publishToGroup("g", text), PublishStatus::Accepted);
}

TEST_P(BusTest, BackpressureOfTheServerReturnsFullThenDrains) {
  const UniqueFd listener = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  const std::string there = std::string(GetParam()) +
                            "://127.0.0.1:" + std::to_string(localAddress(listener.get()).port());
  RecordedBus a(there, {.keptBytesMax = 100'000});
  test::RawPeer peer;
  ASSERT_TRUE(turnUntil([&] {
    if (!peer.valid())
      peer = test::RawPeer(UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK)));
    return peer.valid();
  }));
  if (isStormo()) peer.send(welcome());
  EXPECT_THAT(await(a, 1), ElementsAre("connect"));
  peer.received().clear();

  // More than the limit in one turn is rejected before the kernel is asked.
  const std::string text(1000, '.');
  std::size_t accepted = 0;
  for (int turns = 0; turns < 10'000; ++turns) {
    PublishStatus status = PublishStatus::Accepted;
    for (int i = 0; i < 50 && status == PublishStatus::Accepted; ++i) {
      status = a.bus->publishToGroup("g", text);
      accepted += status == PublishStatus::Accepted ? 1 : 0;
    }
    if (status == PublishStatus::Full) break;
    turn();
  }
  ASSERT_EQ(a.bus->publishToGroup("g", text), PublishStatus::Full);
  std::size_t arrived = 0;
  const auto arrive = [&] {
    peer.receive();
    const std::size_t frames = takeFrames(peer.received()).size();
    arrived += frames;
    if (isStormo() && frames > 0) peer.send(ack(arrived));
  };
  EXPECT_TRUE(turnUntil([&] {
    arrive();
    return !a.calls.empty();
  }));
  EXPECT_THAT(a.take(), ElementsAre("drain"));
  EXPECT_EQ(a.bus->publishToGroup("g", text), PublishStatus::Accepted);
  EXPECT_TRUE(turnUntil([&] {
    arrive();
    return arrived == accepted + 1;
  }));
}

TEST_P(BusTest, ExceptionInAHandlerIsCountedAndKeepsTheLink) {
  auto a = connected();
  a->bus->subscribeGroup("g");
  a->bus->onGroupMessage = [&](const GroupMessage& message) {
    a->calls.emplace_back(message.message.data);
    throw std::runtime_error("on purpose");
  };
  EXPECT_EQ(a->bus->publishToGroup("g", "1"), PublishStatus::Accepted);
  EXPECT_EQ(a->bus->publishToGroup("g", "2"), PublishStatus::Accepted);
  EXPECT_THAT(await(*a, 2), ElementsAre("1", "2"));
  EXPECT_EQ(counters().handlerErrors.get(), 2u);
  EXPECT_TRUE(a->bus->isConnected());
}

TEST_P(BusTest, CloseSendsQueuedPublishesAndDoesNotReconnect) {
  auto a = connected(), b = connected();
  b->bus->subscribe({"news"});
  settle();
  EXPECT_EQ(a->bus->publish({"news"}, 1, false), PublishStatus::Accepted);
  a->bus->close();
  EXPECT_THAT(await(*b, 1), ElementsAre("event news: 1"));
  EXPECT_TRUE(turnUntil([&] { return process->linkCount() == 1; }));
  EXPECT_THAT(a->take(), ElementsAre("close"));
  EXPECT_FALSE(a->bus->isConnected());
  a->bus->connect();
  EXPECT_THAT(await(*a, 1), ElementsAre("connect"));
}

TEST_P(BusTest, DestructionAfterCloseStillSendsQueuedPublishes) {
  auto a = connected(), b = connected();
  b->bus->subscribe({"news"});
  settle();
  EXPECT_EQ(a->bus->publish({"news"}, 1, false), PublishStatus::Accepted);
  a->bus->close();
  a.reset();
  EXPECT_THAT(await(*b, 1), ElementsAre("event news: 1"));
}

TEST_P(BusTest, PingIsNotAnEvent) {
  // Long enough that a busy machine is not mistaken for an unresponsive Channel.
  auto a = connected({.pingInterval = 400ms});
  a->bus->ping();
  const std::uint64_t before = counters().messagesOut.get();
  EXPECT_TRUE(turnUntil([&] { return counters().messagesOut.get() > before + 4; }));
  EXPECT_TRUE(a->bus->isConnected());
  EXPECT_THAT(a->take(), IsEmpty());
}

/// An array in an array in an array ...
Value nested(std::size_t depth) {
  Value value = Value::array();
  for (std::size_t i = 1; i < depth; ++i) value = Value::list().append(std::move(value));
  return value;
}

TEST_P(BusTest, PublishThatTheChannelRejectsIsRefusedAndKeepsTheLink) {
  auto publisher = connected(), subscriber = connected();
  subscriber->bus->subscribe({"news"});
  subscriber->bus->watch({"jobs"});
  subscriber->bus->subscribeGroup("g");
  settle();
  Value tooMany = Value::list();
  for (int i = 0; i < 1'000'001; ++i) tooMany.append(0);
  const std::string tooLong(kDefaultFrameBytesMax, 'x');
  Bus& bus = *publisher->bus;
  for (const Value& data : {nested(65), tooMany, Value(tooLong)}) {
    EXPECT_EQ(bus.publish({"news"}, data, false), PublishStatus::Refused);
    EXPECT_EQ(bus.publish({"news"}, data, true), PublishStatus::Refused);
    EXPECT_EQ(bus.enqueue({"jobs"}, data), PublishStatus::Refused);
  }
  EXPECT_EQ(bus.publishToGroup("g", tooLong), PublishStatus::Refused);
  EXPECT_EQ(bus.publishToGroup("g", tooLong, {.session = 1, .number = 1}), PublishStatus::Refused);
  EXPECT_EQ(bus.accepted(), 0u);

  EXPECT_EQ(bus.publish({"news"}, nested(64), false), PublishStatus::Accepted);
  EXPECT_EQ(bus.publish({"news"}, 7, false), PublishStatus::Accepted);
  EXPECT_THAT(await(*subscriber, 2), ElementsAre("event news: 0", "event news: 7"));
  EXPECT_EQ(counters().badPeers.get(), 0u);
  EXPECT_THAT(publisher->take(), IsEmpty());  // no close
}

TEST(MakeBus, UrlSelectsTheDialect) {
  EventLoop loop;
  EXPECT_NE(makeBus("stormo://127.0.0.1:1"), nullptr);
  EXPECT_NE(makeBus("frame://[::1]:1"), nullptr);
  EXPECT_NE(makeBus("unix:///run/channel"), nullptr);
  for (const char* url :
       {"http://127.0.0.1:1", "nats://127.0.0.1:1", "127.0.0.1:2206", "stormo://host", ""}) {
    EXPECT_THROW(makeBus(url), std::invalid_argument) << url;
  }
}

TEST(MakeBus, BusMayOutliveItsLoop) {
  std::unique_ptr<Bus> bus;
  {
    EventLoop loop;
    bus = makeBus("stormo://127.0.0.1:1");
    bus->connect();
    loop.turn(0ms);
  }
  EventLoop another;
  bus.reset();
}

}  // namespace
}  // namespace stormo::channel
