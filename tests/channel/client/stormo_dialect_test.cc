// Tests of the link in Stormo's dialect only; see also client_link_test.cc.
#include "channel/client/client_link.h"
#include "channel/client/stormo_dialect_fixture.h"
#include "event/loop_impl.h"
#include "support/temp_directory.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(StormoDialectTest, GroupsWorkOverAUnixSocket) {
  test::TempDirectory directory;
  const std::string path = directory.file("channel");
  process.emplace(loop, server, makeLog());
  listening = std::move(*listenOn(*Address::unixPath(path)));
  process->listen(listening.get());
  auto a = std::make_unique<ClientLink>("unix://" + path),
       b = std::make_unique<ClientLink>("unix://" + path);
  a->onGroupMessage = [&](const GroupMessage& message) {
    calls.push_back(std::string(message.group) + ": " + std::string(message.message.data));
  };
  a->connect();
  b->connect();
  a->dialect().subscribeGroup("123");
  ASSERT_TRUE(turnUntil([&] { return a->isConnected() && b->isConnected(); }));
  settle();
  EXPECT_EQ(b->dialect().publishToGroup("123", "ciao", {}), PublishStatus::Accepted);
  EXPECT_TRUE(turnUntil([&] { return !calls.empty(); }));
  EXPECT_THAT(calls, ElementsAre("123: ciao"));
}

TEST_F(StormoDialectTest, SendsOnlyHelloBeforeWelcome) {
  auto link = std::make_unique<ClientLink>(dummy.url());
  link->dialect().subscribeGroup("g");
  EXPECT_EQ(link->dialect().publishToGroup("g", "ciao", {}), PublishStatus::Accepted);
  link->connect();
  ASSERT_TRUE(turnUntil([&] { return dummy.accept(); }));
  ASSERT_TRUE(turnUntil([&] { return !dummy.link.received().empty(); }));
  settle();
  const auto first = dummy.link.take();
  ASSERT_EQ(first.size(), 1u);
  Packet packet;
  ASSERT_EQ(decode(first[0], packet), Decode::Ok);
  EXPECT_EQ(packet.kind, Kind::Hello);
  EXPECT_EQ(packet.version, kProtocolVersion);
  EXPECT_NE(packet.producerId, 0u);
  EXPECT_FALSE(link->isConnected());

  dummy.link.send(welcome());
  ASSERT_TRUE(turnUntil([&] { return dummy.link.received().size() == 2; }));
  EXPECT_THAT(dummy.link.take(),
              ElementsAre(subscribeGroup("g").substr(kFrameHeaderBytes),
                          publishGroup("g", "ciao", 1).substr(kFrameHeaderBytes)));
  EXPECT_TRUE(link->isConnected());
}

TEST_F(StormoDialectTest, RejectedPublishIsDroppedAndReported) {
  auto link = std::make_unique<ClientLink>(dummy.url());
  link->onRejected = [&](std::uint64_t number, std::string_view reason) {
    calls.push_back(std::to_string(number) + ": " + std::string(reason));
  };
  link->connect();
  ASSERT_TRUE(turnUntil([&] { return dummy.accept(); }));
  dummy.link.send(welcome());
  ASSERT_TRUE(turnUntil([&] { return link->isConnected(); }));
  for (const char* text : {"1", "2", "3"}) {
    ASSERT_EQ(link->dialect().publishToGroup("g", text, {}), PublishStatus::Accepted);
  }
  dummy.link.send(rejected(2, "no"));
  ASSERT_TRUE(turnUntil([&] { return !calls.empty(); }));
  EXPECT_THAT(calls, ElementsAre("2: no"));
  dummy.link = {};
  ASSERT_TRUE(turnUntil([&] { return dummy.accept(); }));
  dummy.link.send(welcome());
  EXPECT_THAT(publishesOnThisLink(2), ElementsAre("1 1", "3 3"));
  dummy.link.send(rejected(3, "no"));
  dummy.link.send(rejected(1, "no"));
  EXPECT_TRUE(
      turnUntil([&] { return link->dialect().acknowledged() == 3; }));  // nothing else is awaited
}

TEST_F(StormoDialectTest, PublishThatClosesTwoLinksIsDropped) {
  auto link = std::make_unique<ClientLink>(dummy.url());
  link->onRejected = [&](std::uint64_t number, std::string_view reason) {
    calls.push_back(std::to_string(number) + ": " + std::string(reason));
  };
  for (const char* text : {"1", "2", "3"}) {
    ASSERT_EQ(link->dialect().publishToGroup("g", text, {}), PublishStatus::Accepted);
  }
  link->connect();
  const auto cutAt = [&](std::uint64_t sequence, std::size_t publishes) {
    EXPECT_TRUE(turnUntil([&] { return dummy.accept(); }));
    dummy.link.send(welcome());
    const auto received = publishesOnThisLink(publishes);
    dummy.link.send(rejected(sequence, "bad", true) +
                    encode({.kind = Kind::Refused, .payload = "bad"}));
    EXPECT_TRUE(turnUntil([&] { return dummy.link.peer.ended(); }));
    return received;
  };
  EXPECT_THAT(cutAt(2, 3), ElementsAre("1 1", "2 2", "3 3"));
  EXPECT_THAT(calls, IsEmpty());
  EXPECT_THAT(cutAt(2, 3), ElementsAre("1 1", "2 2", "3 3"));
  EXPECT_THAT(calls, ElementsAre("2: bad"));
  EXPECT_THAT(cutAt(3, 2), ElementsAre("1 1", "3 3"));  // one cut may be an accident
  EXPECT_THAT(calls, ElementsAre("2: bad"));
}

TEST_F(StormoDialectTest, PublishTooLongForANewChannelIsDroppedAndTheRestArrives) {
  auto link = std::make_unique<ClientLink>(dummy.url(), ChannelOptions{.unackedBytesMax = 1200});
  link->onRejected = [&](std::uint64_t number, std::string_view) {
    calls.push_back("rejected " + std::to_string(number));
  };
  link->onDrain = [&] { calls.emplace_back("drain"); };
  ASSERT_EQ(link->dialect().publishToGroup("g", "1", {}), PublishStatus::Accepted);
  ASSERT_EQ(link->dialect().publishToGroup("g", std::string(1000, 'x'), {}),
            PublishStatus::Accepted);
  ASSERT_EQ(link->dialect().publishToGroup("g", "3", {}), PublishStatus::Accepted);
  ASSERT_EQ(link->dialect().publishToGroup("g", std::string(500, 'x'), {}), PublishStatus::Full);
  link->connect();
  ASSERT_TRUE(turnUntil([&] { return dummy.accept(); }));
  dummy.link.send(welcome(1, 900));
  EXPECT_THAT(publishesOnThisLink(2), ElementsAre("1 1", "3 3"));
  EXPECT_THAT(calls, ElementsAre("rejected 2", "drain"));
  EXPECT_EQ(link->dialect().frameBytesMax(), 900u);
  EXPECT_EQ(link->dialect().publishToGroup("g", std::string(1000, 'x'), {}),
            PublishStatus::Refused);
}

TEST_F(StormoDialectTest, UnacknowledgedPublishesAreResentOnANewLink) {
  auto link = std::make_unique<ClientLink>(dummy.url());
  link->connect();
  std::vector<std::uint64_t> publishers;
  const auto sequencesOnNextLink = [&](std::size_t frames, auto publish) {
    EXPECT_TRUE(turnUntil([&] { return dummy.accept(); }));
    dummy.link.send(welcome());
    EXPECT_TRUE(turnUntil([&] { return link->isConnected(); }));
    publish();
    std::vector<std::uint64_t> sequences;
    EXPECT_TRUE(turnUntil([&] { return dummy.link.received().size() == frames; }));
    for (const std::string& payload : dummy.link.take()) {
      Packet packet;
      EXPECT_EQ(decode(payload, packet), Decode::Ok);
      if (packet.kind == Kind::Hello) publishers.push_back(packet.producerId);
      if (packet.sequence != 0) sequences.push_back(packet.sequence);
    }
    return sequences;
  };
  EXPECT_THAT(
      sequencesOnNextLink(
          5,
          [&] {
            EXPECT_EQ(link->dialect().publish({"a", "b"}, 1, false), PublishStatus::Accepted);
            EXPECT_EQ(link->dialect().enqueue({"q"}, 1), PublishStatus::Accepted);
            EXPECT_EQ(link->dialect().publishToGroup("g", "x", {}), PublishStatus::Accepted);
          }),
      ElementsAre(1, 2, 3, 4));
  dummy.link.send(ack(2));
  settle();
  dummy.link = {};
  // Hello, Resume, two resends, one new publish.
  EXPECT_THAT(sequencesOnNextLink(5,
                                  [&] {
                                    EXPECT_EQ(link->dialect().publishToGroup("g", "y", {}),
                                              PublishStatus::Accepted);
                                  }),
              ElementsAre(3, 4, 5));
  EXPECT_EQ(publishers[0], publishers[1]);
}

TEST_F(StormoDialectTest, RefusedLinkKeepsPublishesAndRetries) {
  server.secret = "right";
  start();
  auto link = std::make_unique<ClientLink>(
      url("stormo"), ChannelOptions{.secret = "wrong", .unackedBytesMax = 100});
  link->onConnect = [&] { calls.push_back("connect"); };
  link->onClose = [&] { calls.push_back("close"); };
  EXPECT_EQ(link->dialect().publishToGroup("g", std::string(80, '.'), {}), PublishStatus::Accepted);
  link->connect();
  EXPECT_TRUE(turnUntil([&] { return counters().badPeers.get() >= 4; }))
      << "two attempts, counted at both ends";
  EXPECT_FALSE(link->isConnected());
  EXPECT_EQ(link->dialect().publishToGroup("g", std::string(80, '.'), {}), PublishStatus::Full);
  EXPECT_THAT(calls, IsEmpty()) << "there was no link";
}

TEST_F(StormoDialectTest, UnresponsiveServerIsDisconnected) {
  auto link = std::make_unique<ClientLink>(dummy.url(), ChannelOptions{.pingInterval = 20ms});
  link->onClose = [&] { calls.push_back("close"); };
  link->connect();
  ASSERT_TRUE(turnUntil([&] { return dummy.accept(); }));
  ASSERT_TRUE(turnUntil([&] { return dummy.accept(); })) << "no Welcome was sent";
  dummy.link.send(welcome());
  ASSERT_TRUE(turnUntil([&] { return dummy.accept(); })) << "no Pong was sent";
  EXPECT_THAT(calls, ElementsAre("close"));
}

TEST_F(StormoDialectTest, BlockingHandlerLosesNeitherTheLinkNorTheNextJob) {
  static TimePoint simulatedNow;
  simulatedNow = TimePoint{} + 1h;
  LoopImpl::of(loop).useClock([] { return simulatedNow; });
  auto link = std::make_unique<ClientLink>(dummy.url(), ChannelOptions{.pingInterval = 1s});
  link->onJob = [&](std::uint64_t, std::string_view, const Value&) {
    simulatedNow += 10s;  // a blocking handler, as the loop sees it
    calls.push_back("job");
  };
  link->onClose = [&] { calls.push_back("close"); };
  link->connect();
  ASSERT_TRUE(turnUntil([&] { return dummy.accept(); }));
  dummy.link.send(welcome());
  ASSERT_TRUE(turnUntil([&] { return link->isConnected(); }));
  link->watch({"jobs"});
  for (std::size_t jobs = 1; jobs <= 3; ++jobs) {
    dummy.link.send(job("jobs", "i:1;", jobs));
    ASSERT_TRUE(turnUntil([&] { return calls.size() >= jobs; }));
    turn();
  }
  EXPECT_THAT(calls, ElementsAre("job", "job", "job"));
  EXPECT_TRUE(link->isConnected());
}

TEST_F(StormoDialectTest, ServerThatAnswersPingsStaysConnected) {
  auto link = std::make_unique<ClientLink>(dummy.url(), ChannelOptions{.pingInterval = 20ms});
  link->connect();
  ASSERT_TRUE(turnUntil([&] { return dummy.accept(); }));
  dummy.link.send(welcome());
  int pings = 0;
  EXPECT_TRUE(turnUntil([&] {
    for (const std::string& payload : dummy.link.take()) {
      if (payload != encode({.kind = Kind::Ping}).substr(kFrameHeaderBytes)) continue;
      ++pings;
      dummy.link.send(encode({.kind = Kind::Pong}));
    }
    return pings == 6;
  }));
  EXPECT_FALSE(dummy.link.peer.ended());
}

TEST_F(StormoDialectTest, HistoryReplyWithOtherEventsClosesTheLink) {
  const std::string other =
      encode({.kind = Kind::Event, .epoch = 1, .offset = 1, .channel = "h", .payload = "N;"});
  for (const std::string& payload : {std::string("?"), encode({.kind = Kind::Ping}), other}) {
    auto link = std::make_unique<ClientLink>(dummy.url());
    link->dialect().requestHistory("g", {},
                                   [&](const HistoryReply&) { calls.push_back("answer"); });
    link->connect();
    ASSERT_TRUE(turnUntil([&] { return dummy.accept(); }));
    dummy.link.send(welcome());
    ASSERT_TRUE(turnUntil([&] { return link->isConnected(); }));
    dummy.link.send(encode({.kind = Kind::HistoryReply,
                            .space = Space::Groups,
                            .epoch = 1,
                            .channel = "g",
                            .payload = payload}));
    EXPECT_TRUE(ended(dummy.link)) << payload;
  }
  EXPECT_THAT(calls, IsEmpty());
}

TEST_F(StormoDialectTest, CountsAcknowledgedPublishes) {
  auto link = std::make_unique<ClientLink>(dummy.url());
  link->onAcknowledged = [&] { calls.push_back(std::to_string(link->dialect().acknowledged())); };
  link->connect();
  ASSERT_TRUE(turnUntil([&] { return dummy.accept(); }));
  dummy.link.send(welcome());
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(link->dialect().publishToGroup("g", "x", {.session = 9, .number = 1}),
              PublishStatus::Accepted);
  ASSERT_TRUE(turnUntil([&] { return link->isConnected(); }));
  EXPECT_EQ(link->dialect().accepted(), 3u);
  EXPECT_EQ(link->dialect().acknowledged(), 0u);
  dummy.link.send(ack(2));
  ASSERT_TRUE(turnUntil([&] { return !calls.empty(); }));
  dummy.link.send(ack(3));
  ASSERT_TRUE(turnUntil([&] { return calls.size() == 2; }));
  EXPECT_THAT(calls, ElementsAre("2", "3"));
}

TEST_F(StormoDialectTest, AnotherEpochIsAGap) {
  auto link = std::make_unique<ClientLink>(dummy.url());
  link->onGroupMessage = [&](const GroupMessage& message) {
    calls.push_back("message " + std::string(message.message.data));
  };
  link->onConnect = [&] { calls.push_back("connect"); };
  link->onGap = [&] { calls.push_back("gap"); };
  link->dialect().subscribeGroup("g");
  link->connect();
  const auto sendWelcomeAndEvent = [&](std::uint64_t epoch, std::uint64_t offset) {
    EXPECT_TRUE(turnUntil([&] { return dummy.accept(); }));
    dummy.link.send(welcome(epoch) + encode({.kind = Kind::Event,
                                             .payloadKind = PayloadKind::Text,
                                             .space = Space::Groups,
                                             .epoch = epoch,
                                             .offset = offset,
                                             .channel = "g",
                                             .payload = "ciao"}));
  };
  sendWelcomeAndEvent(1, 70);
  ASSERT_TRUE(turnUntil([&] { return calls.size() == 2; }));
  dummy.link = {};
  sendWelcomeAndEvent(2, 3);
  ASSERT_TRUE(turnUntil([&] { return calls.size() == 5; }));
  EXPECT_THAT(calls, ElementsAre("connect", "message ciao", "connect", "gap", "message ciao"));
  EXPECT_EQ(link->dialect().position(), (Position{2, 3}));
}

TEST_F(StormoDialectTest, InvalidServerPacketClosesTheLink) {
  const std::vector<std::string> frames = {
      hello(),
      subscribeEvent("e"),
      publishEvent("e", "N;"),
      encode({.kind = Kind::Ping}),
      encode({.kind = Kind::Reserve}),
      ack(1),                                                // nothing was published
      encode({.kind = Kind::Gap, .epoch = 2, .offset = 1}),  // another epoch
      // not requested
      encode({.kind = Kind::HistoryReply, .space = Space::Groups, .epoch = 1, .channel = "g"}),
      welcome(),
      framed("?"),
      framed(""),
      encode({.kind = Kind::Event, .epoch = 1, .offset = 1, .channel = "e", .payload = "N"}),
      encode({.kind = Kind::Event,
              .payloadKind = PayloadKind::Text,
              .epoch = 1,
              .offset = 1,
              .channel = "e",
              .payload = "N;"}),
      encode({.kind = Kind::Event,
              .space = Space::Groups,
              .epoch = 1,
              .offset = 1,
              .channel = "g",
              .payload = "N;"}),
      job("q", "N;N;"),
  };
  for (std::size_t i = 0; i < frames.size(); ++i) {
    auto link = std::make_unique<ClientLink>(dummy.url());
    link->onEvent = [&](std::string_view, const Value&) { calls.push_back("event"); };
    link->connect();
    ASSERT_TRUE(turnUntil([&] { return dummy.accept(); }));
    dummy.link.send(welcome());
    ASSERT_TRUE(turnUntil([&] { return link->isConnected(); }));
    dummy.link.send(frames[i]);
    EXPECT_TRUE(ended(dummy.link)) << i;
  }
  EXPECT_THAT(calls, IsEmpty());
}

}  // namespace
}  // namespace stormo::channel
