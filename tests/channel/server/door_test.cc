// Who may link to a Channel server.
#include "channel/server/door.h"

#include "channel/channel_fixture.h"
#include "net/codec/package_codec.h"

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using namespace std::string_view_literals;

class DoorTest : public ChannelTest {
 protected:
  /// A link whose Hello was answered with the Challenge.
  Link helloLink(std::uint64_t producerId = 1) {
    Link made = link();
    made.isStormo = true;
    made.send(hello(producerId));
    EXPECT_TRUE(turnUntil([&] { return made.received().size() == 1; }));
    challenge = made.take().at(0);
    return made;
  }

  std::string challenge;  // the latest one
};

TEST_F(DoorTest, AProofOfEitherSecretIsAccepted) {
  server.secret = "open sesame";
  server.otherSecret = "open barley";
  start();
  for (const std::string& secret : {server.secret, server.otherSecret}) {
    Link a = helloLink();
    a.send(proof(secret, challenge, 1));
    EXPECT_THAT(await(a, 1), ElementsAre("welcome"));
    EXPECT_THAT(receivedOn(a), testing::IsEmpty());
  }
}

TEST_F(DoorTest, EachLinkGetsAChallengeOfItsOwn) {
  server.secret = "open sesame";
  start();
  const Link a = helloLink();
  const std::string first = std::exchange(challenge, {});
  Link b = helloLink();
  EXPECT_NE(first, challenge);
  b.send(proof(server.secret, first, 1));  // recorded from another link
  EXPECT_TRUE(ended(b));
  EXPECT_EQ(textOf(b.take().at(0)), "refused: wrong secret");
}

TEST_F(DoorTest, AWrongProofIsAnsweredLateAndNothingIsReadMeanwhile) {
  server.secret = "open sesame";
  start();
  const TimePoint began = Clock::now();
  std::vector<Link> links;
  for (const char* secret : {"open sesamE", "Open sesame", "open", "open sesame!", ""}) {
    links.push_back(helloLink());
    links.back().send(proof(secret, challenge, 1) + subscribeGroup("g"));
  }
  links.push_back(helloLink());
  links.back().send(proof(server.secret, challenge, 2));  // as another producer
  for (Link& each : links) {
    EXPECT_TRUE(ended(each));
    const auto payloads = each.take();
    ASSERT_EQ(payloads.size(), 1u);
    EXPECT_EQ(textOf(payloads[0]), "refused: wrong secret");
  }
  EXPECT_GE(Clock::now() - began, Door::kPenalty);
  EXPECT_EQ(counters().badPeers.get(), links.size());
}

TEST_F(DoorTest, ALinkThatIsRefusedLaterMayEndBefore) {
  server.secret = "open sesame";
  start();
  {
    Link a = helloLink();
    a.send(proof("wrong", challenge, 1));
    settle();
  }
  Link b = helloLink();
  b.send(proof("wrong", challenge, 1));
  EXPECT_TRUE(ended(b));
}

TEST_F(DoorTest, OtherPacketsThanTheProofAreRefused) {
  server.secret = "open sesame";
  start();
  for (const std::string& packet :
       {hello(1), subscribeGroup("g"), encode({.kind = Kind::Ping}), command(CommandType::Ping)}) {
    Link a = helloLink();
    a.send(packet);
    EXPECT_TRUE(ended(a));
  }
}

TEST_F(DoorTest, BeforeItIsOpenALinkMaySendNoLongFrame) {
  server.secret = "open sesame";
  start();
  Link a = helloLink();
  a.send("\0\x10\0\0Q"sv);
  EXPECT_TRUE(ended(a));
}

TEST_F(DoorTest, ASecretIsOfStormosDialectAlone) {
  server.secret = "open sesame";
  start();
  Link a = workermanLink(command(CommandType::Subscribe, {"news"}));
  a.send(command(CommandType::Publish, {"news"}, "i:1;"));
  EXPECT_THAT(await(a, 1), ElementsAre(eventPayload("news", "i:1;")));
}

TEST_F(DoorTest, WorkermansDialectIsForThisMachineAndListedAddresses) {
  net::ConnectionTable& table = net::ConnectionTable::of(loop);
  const net::PackageCodec codec(Protocol::tcp());
  const net::Endpoint endpoint{.codec = &codec, .handlers = {}, .hasRoom = {}};
  const auto accepts = [&](const Address& remote) {
    test::SocketPair pair = test::unixPair();
    net::ConnectionImpl* const link =
        table.accept(std::move(pair.tested), endpoint, remote).value();
    const bool isAccepted = Door(server, table).acceptsWorkerman(*link);
    link->destroy();
    settle();
    return isAccepted;
  };
  const Address stranger = *Address::ip("192.0.2.7", 1);
  for (const char* local : {"127.0.0.1", "127.5.5.5", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(accepts(*Address::ip(local, 1))) << local;
  }
  EXPECT_TRUE(accepts(*Address::unixPath("/run/php")));
  EXPECT_FALSE(accepts(stranger));
  server.workermanPeers = {"192.0.2.0/24", "2001:db8::5"};
  EXPECT_TRUE(accepts(stranger));
  EXPECT_TRUE(accepts(*Address::ip("2001:db8::5", 1)));
  EXPECT_FALSE(accepts(*Address::ip("2001:db8::6", 1)));
  server.workermanPeers.clear();
  server.allowOpen = true;
  EXPECT_TRUE(accepts(stranger));
  server.secret = "open sesame";
  EXPECT_FALSE(accepts(stranger));
}

}  // namespace
}  // namespace stormo::channel
