// Tests of ClientLink in both dialects, with a real server.
#include "channel/client/client_link.h"

#include "channel/channel_fixture.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// A link, and a record of its callbacks.
struct RecordedLink {
  RecordedLink(const std::string& url, const ChannelOptions& options = {})
      : link(std::make_unique<ClientLink>(url, options)) {
    link->onGroupMessage = [this](const GroupMessage& message) {
      calls.push_back("group " + std::string(message.group) + ": " +
                      std::string(message.message.data) +
                      (message.message.isBinary() ? " (binary)" : ""));
    };
    link->onEvent = [this](std::string_view event, const Value& data) {
      calls.push_back("event " + std::string(event) + ": " + std::to_string(data.asInt()));
    };
    link->onJob = [this](std::uint64_t number, std::string_view queue, const Value& data) {
      link->dialect().finishJob(number);
      calls.push_back("job " + std::string(queue) + ": " + std::to_string(data.asInt()));
    };
    link->onConnect = [this] { calls.push_back("connect"); };
    link->onClose = [this] { calls.push_back("close"); };
    link->onDrain = [this] { calls.push_back("drain"); };
    link->connect();
  }
  std::vector<std::string> take() { return std::exchange(calls, {}); }

  std::vector<std::string> calls;
  std::unique_ptr<ClientLink> link;
};

class ClientLinkTest : public ChannelTest, public testing::WithParamInterface<const char*> {
 protected:
  ClientLinkTest() { start(); }

  std::string here() const { return url(GetParam()); }
  bool isStormo() const { return std::string_view(GetParam()) == "stormo"; }

  /// A link that is connected.
  std::unique_ptr<RecordedLink> connected(const ChannelOptions& options = {}) {
    auto made = std::make_unique<RecordedLink>(here(), options);
    EXPECT_TRUE(turnUntil([&] { return made->link->isConnected(); }));
    EXPECT_THAT(made->take(), ElementsAre("connect"));
    return made;
  }
  std::vector<std::string> await(RecordedLink& link, std::size_t count) {
    EXPECT_TRUE(turnUntil([&] { return link.calls.size() >= count; }));
    settle();
    return link.take();
  }
  void restart() {
    const std::uint16_t at = port();
    kill();
    start(at);
  }
};

INSTANTIATE_TEST_SUITE_P(Dialects, ClientLinkTest, testing::Values("stormo", "frame"),
                         [](const auto& dialect) { return std::string(dialect.param); });

TEST_P(ClientLinkTest, GroupMessageReachesSubscribers) {
  auto a = connected(), b = connected();
  a->link->dialect().subscribeGroup("123");
  settle();
  EXPECT_EQ(b->link->dialect().publishToGroup("123", "ciao", {}), PublishStatus::Accepted);
  EXPECT_EQ(b->link->dialect().publishToGroup("123", binary("\xff"), {}), PublishStatus::Accepted);
  EXPECT_THAT(await(*a, 2), ElementsAre("group 123: ciao", "group 123: \xff (binary)"));
  EXPECT_THAT(b->take(), IsEmpty());
}

TEST_P(ClientLinkTest, UnsubscribedGroupsReceiveNothing) {
  auto a = connected();
  a->link->dialect().subscribeGroup("1");
  a->link->dialect().subscribeGroup("1");
  a->link->dialect().unsubscribeGroup("1");
  a->link->dialect().unsubscribeGroup("1");
  EXPECT_EQ(a->link->dialect().publishToGroup("1", "x", {}), PublishStatus::Accepted);
  a->link->subscribe({"end"});
  EXPECT_EQ(a->link->dialect().publish({"end"}, 1, false), PublishStatus::Accepted);
  EXPECT_THAT(await(*a, 1), ElementsAre("event end: 1"));
}

TEST_P(ClientLinkTest, EventsQueuesAndPublishLoopWork) {
  auto a = connected();
  a->link->subscribe({"news", "sport"});
  EXPECT_EQ(a->link->dialect().publish({"news", "sport", "unused"}, 1, false),
            PublishStatus::Accepted);
  EXPECT_EQ(a->link->dialect().publish({"news"}, 2, true), PublishStatus::Accepted);
  a->link->unsubscribe({"sport"});
  EXPECT_EQ(a->link->dialect().publish({"sport"}, 3, false), PublishStatus::Accepted);
  a->link->watch({"jobs"});
  a->link->reserve();
  EXPECT_EQ(a->link->dialect().enqueue({"jobs"}, 4), PublishStatus::Accepted);
  EXPECT_THAT(await(*a, 4),
              ElementsAre("event news: 1", "event sport: 1", "event news: 2", "job jobs: 4"));
}

TEST_P(ClientLinkTest, RequestsBeforeConnectAreSentWhenConnected) {
  RecordedLink a(here());
  a.link->subscribe({"news"});
  a.link->dialect().subscribeGroup("g");
  a.link->watch({"jobs"});
  a.link->reserve();
  EXPECT_EQ(a.link->dialect().publish({"news"}, 1, false), PublishStatus::Accepted);
  EXPECT_EQ(a.link->dialect().publishToGroup("g", "2", {}), PublishStatus::Accepted);
  EXPECT_EQ(a.link->dialect().enqueue({"jobs"}, 3), PublishStatus::Accepted);
  EXPECT_THAT(await(a, 4), ElementsAre("connect", "event news: 1", "group g: 2", "job jobs: 3"));
}

TEST_P(ClientLinkTest, ReconnectRestoresSubscriptionsAndSendsQueuedPublishesInOrder) {
  auto a = connected(), b = connected();
  for (auto* link : {&a, &b}) {
    (*link)->link->subscribe({"news", "dropped"});
    (*link)->link->dialect().subscribeGroup("g");
    (*link)->link->dialect().subscribeGroup("left");
  }
  a->link->unsubscribe({"dropped"});
  a->link->dialect().unsubscribeGroup("left");
  a->link->watch({"jobs"});
  a->link->reserve();
  settle();

  const std::uint16_t at = port();
  kill();
  ASSERT_TRUE(turnUntil([&] { return !a->link->isConnected() && !b->link->isConnected(); }));
  EXPECT_THAT(a->take(), ElementsAre("close"));
  EXPECT_EQ(a->link->dialect().publishToGroup("g", "1", {}), PublishStatus::Accepted);
  EXPECT_EQ(a->link->dialect().publishToGroup("left", "2", {}), PublishStatus::Accepted);
  EXPECT_EQ(a->link->dialect().publish({"dropped"}, 3, false), PublishStatus::Accepted);
  EXPECT_EQ(a->link->dialect().publish({"news"}, 4, false), PublishStatus::Accepted);
  EXPECT_EQ(a->link->dialect().enqueue({"jobs"}, 5), PublishStatus::Accepted);
  settle();
  EXPECT_THAT(a->take(), IsEmpty());

  start(at);
  // A job may overtake events that are replayed.
  std::vector<std::string> calls = await(*a, 4);
  std::erase(calls, "job jobs: 5");
  EXPECT_THAT(calls, ElementsAre("connect", "group g: 1", "event news: 4"));
  ASSERT_TRUE(turnUntil([&] { return b->link->isConnected(); }));
  if (isStormo()) {  // Stormo's dialect replays what was published before it reconnected
    EXPECT_THAT(await(*b, 6), ElementsAre("close", "connect", "group g: 1", "group left: 2",
                                          "event dropped: 3", "event news: 4"));
  }
  b->take();
  EXPECT_EQ(a->link->dialect().publishToGroup("left", "6", {}), PublishStatus::Accepted);
  EXPECT_EQ(a->link->dialect().publish({"dropped"}, 7, false), PublishStatus::Accepted);
  EXPECT_THAT(await(*b, 2), ElementsAre("group left: 6", "event dropped: 7"));
}

TEST_P(ClientLinkTest, UsedReservationIsNotRestoredOnReconnect) {
  auto a = connected();
  a->link->watch({"jobs"});
  a->link->reserve();
  EXPECT_EQ(a->link->dialect().enqueue({"jobs"}, 1), PublishStatus::Accepted);
  EXPECT_THAT(await(*a, 1), ElementsAre("job jobs: 1"));
  restart();
  ASSERT_TRUE(turnUntil([&] { return a->calls.size() == 2; }));
  EXPECT_THAT(a->take(), ElementsAre("close", "connect"));
  EXPECT_EQ(a->link->dialect().enqueue({"jobs"}, 2), PublishStatus::Accepted);
  a->link->subscribe({"end"});
  EXPECT_EQ(a->link->dialect().publish({"end"}, 3, false), PublishStatus::Accepted);
  EXPECT_THAT(await(*a, 1), ElementsAre("event end: 3"));
  a->link->reserve();
  EXPECT_THAT(await(*a, 1), ElementsAre("job jobs: 2"));
}

TEST_P(ClientLinkTest, WithoutALinkPublishReturnsFullAtTheLimit) {
  const std::uint16_t at = port();
  const std::string there = here();
  kill();
  RecordedLink a(there, {.unackedBytesMax = 5000});
  a.link->dialect().subscribeGroup("g");
  std::vector<std::string> expected = {"connect"};
  int taken = 0;
  const std::string text(500, '.');
  while (taken < 100 && a.link->dialect().publishToGroup("g", std::to_string(taken) + text, {}) ==
                            PublishStatus::Accepted) {
    expected.push_back("group g: " + std::to_string(taken++) + text);
  }
  EXPECT_GT(taken, 5);
  EXPECT_LT(taken, 10);
  EXPECT_EQ(a.link->dialect().publishToGroup("g", text, {}), PublishStatus::Full);
  start(at);
  EXPECT_TRUE(turnUntil([&] { return a.calls.size() == expected.size() + 1; }));
  // onDrain is called in the turn in which the queued messages were sent.
  EXPECT_EQ(std::erase(a.calls, "drain"), 1u);
  EXPECT_EQ(a.take(), expected);
  EXPECT_EQ(a.link->dialect().publishToGroup("g", text, {}), PublishStatus::Accepted);
}

TEST_P(ClientLinkTest, BackpressureOfTheServerReturnsFullThenDrains) {
  const UniqueFd listener = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  const std::string there = std::string(GetParam()) +
                            "://127.0.0.1:" + std::to_string(localAddress(listener.get()).port());
  RecordedLink a(there, {.unackedBytesMax = 100'000});
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
      status = a.link->dialect().publishToGroup("g", text, {});
      accepted += status == PublishStatus::Accepted ? 1 : 0;
    }
    if (status == PublishStatus::Full) break;
    turn();
  }
  ASSERT_EQ(a.link->dialect().publishToGroup("g", text, {}), PublishStatus::Full);
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
  EXPECT_EQ(a.link->dialect().publishToGroup("g", text, {}), PublishStatus::Accepted);
  EXPECT_TRUE(turnUntil([&] {
    arrive();
    return arrived == accepted + 1;
  }));
}

TEST_P(ClientLinkTest, ExceptionInAHandlerIsCountedAndKeepsTheLink) {
  auto a = connected();
  a->link->dialect().subscribeGroup("g");
  a->link->onGroupMessage = [&](const GroupMessage& message) {
    a->calls.emplace_back(message.message.data);
    throw std::runtime_error("on purpose");
  };
  EXPECT_EQ(a->link->dialect().publishToGroup("g", "1", {}), PublishStatus::Accepted);
  EXPECT_EQ(a->link->dialect().publishToGroup("g", "2", {}), PublishStatus::Accepted);
  EXPECT_THAT(await(*a, 2), ElementsAre("1", "2"));
  EXPECT_EQ(counters().handlerErrors.get(), 2u);
  EXPECT_TRUE(a->link->isConnected());
}

TEST_P(ClientLinkTest, CloseSendsQueuedPublishesAndDoesNotReconnect) {
  auto a = connected(), b = connected();
  b->link->subscribe({"news"});
  settle();
  EXPECT_EQ(a->link->dialect().publish({"news"}, 1, false), PublishStatus::Accepted);
  a->link->close();
  EXPECT_THAT(await(*b, 1), ElementsAre("event news: 1"));
  EXPECT_TRUE(turnUntil([&] { return process->linkCount() == 1; }));
  EXPECT_THAT(a->take(), ElementsAre("close"));
  EXPECT_FALSE(a->link->isConnected());
  a->link->connect();
  EXPECT_THAT(await(*a, 1), ElementsAre("connect"));
}

TEST_P(ClientLinkTest, DestructionAfterCloseStillSendsQueuedPublishes) {
  auto a = connected(), b = connected();
  b->link->subscribe({"news"});
  settle();
  EXPECT_EQ(a->link->dialect().publish({"news"}, 1, false), PublishStatus::Accepted);
  a->link->close();
  a.reset();
  EXPECT_THAT(await(*b, 1), ElementsAre("event news: 1"));
}

TEST_P(ClientLinkTest, PingIsNotAnEvent) {
  // Long enough that a busy machine is not mistaken for an unresponsive Channel.
  auto a = connected({.pingInterval = 400ms});
  a->link->ping();
  const std::uint64_t before = counters().messagesOut.get();
  EXPECT_TRUE(turnUntil([&] { return counters().messagesOut.get() > before + 4; }));
  EXPECT_TRUE(a->link->isConnected());
  EXPECT_THAT(a->take(), IsEmpty());
}

/// An array in an array in an array ...
Value nested(std::size_t depth) {
  Value value = Value::array();
  for (std::size_t i = 1; i < depth; ++i) value = Value::list().append(std::move(value));
  return value;
}

TEST_P(ClientLinkTest, PublishThatTheChannelRejectsIsRefusedAndKeepsTheLink) {
  auto publisher = connected(), subscriber = connected();
  subscriber->link->subscribe({"news"});
  subscriber->link->watch({"jobs"});
  subscriber->link->dialect().subscribeGroup("g");
  settle();
  Value tooMany = Value::list();
  for (int i = 0; i < 1'000'001; ++i) tooMany.append(0);
  const std::string tooLong(kDefaultFrameBytesMax, 'x');
  ClientLink& link = *publisher->link;
  for (const Value& data : {nested(65), tooMany, Value(tooLong)}) {
    EXPECT_EQ(link.dialect().publish({"news"}, data, false), PublishStatus::Refused);
    EXPECT_EQ(link.dialect().publish({"news"}, data, true), PublishStatus::Refused);
    EXPECT_EQ(link.dialect().enqueue({"jobs"}, data), PublishStatus::Refused);
  }
  EXPECT_EQ(link.dialect().publishToGroup("g", tooLong, {}), PublishStatus::Refused);
  EXPECT_EQ(link.dialect().publishToGroup("g", tooLong, {.session = 1, .number = 1}),
            PublishStatus::Refused);
  EXPECT_EQ(link.dialect().accepted(), 0u);

  EXPECT_EQ(link.dialect().publish({"news"}, nested(64), false), PublishStatus::Accepted);
  EXPECT_EQ(link.dialect().publish({"news"}, 7, false), PublishStatus::Accepted);
  EXPECT_THAT(await(*subscriber, 2), ElementsAre("event news: 0", "event news: 7"));
  EXPECT_EQ(counters().badPeers.get(), 0u);
  EXPECT_THAT(publisher->take(), IsEmpty());  // no close
}

TEST(ClientLink, UrlSelectsTheDialect) {
  EventLoop loop;
  EXPECT_EQ(ClientLink("stormo://127.0.0.1:1").dialect().name(), "stormo");
  EXPECT_EQ(ClientLink("frame://[::1]:1").dialect().name(), "workerman");
  EXPECT_EQ(ClientLink("unix:///run/channel").dialect().name(), "stormo");
  for (const char* url :
       {"http://127.0.0.1:1", "nats://127.0.0.1:1", "127.0.0.1:2206", "stormo://host", ""}) {
    EXPECT_THROW(ClientLink{url}, std::invalid_argument) << url;
  }
}

TEST(ClientLink, MayOutliveItsLoop) {
  std::unique_ptr<ClientLink> link;
  {
    EventLoop loop;
    link = std::make_unique<ClientLink>("stormo://127.0.0.1:1");
    link->connect();
    loop.turn(0ms);
  }
  EventLoop another;
  link.reset();
}

}  // namespace
}  // namespace stormo::channel
