// How a link of Stormo's dialect proves its secret.
#include "channel/client/client_link.h"
#include "channel/client/stormo_dialect_fixture.h"

namespace stormo::channel {
namespace {

using StormoHandshakeTest = StormoDialectTest;

TEST_F(StormoHandshakeTest, ProvesItsSecretWithoutSendingIt) {
  auto link = std::make_unique<ClientLink>(dummy.url(), ChannelOptions{.secret = "s3cret"});
  link->connect();
  ASSERT_TRUE(turnUntil([&] { return dummy.accept(); }));
  ASSERT_TRUE(turnUntil([&] { return dummy.link.received().size() == 1; }));
  Packet hello;
  const auto first = dummy.link.take();
  ASSERT_EQ(decode(first[0], hello), Decode::Ok);
  EXPECT_EQ(hello.payload, "");
  const std::string challenge =
      encode({.kind = Kind::Challenge, .payload = std::string(kChallengeBytes, '?')});
  dummy.link.send(challenge);
  ASSERT_TRUE(turnUntil([&] { return dummy.link.received().size() == 1; }));
  EXPECT_EQ(dummy.link.take()[0],
            proof("s3cret", challenge.substr(kFrameHeaderBytes), hello.producerId)
                .substr(kFrameHeaderBytes));
  EXPECT_FALSE(link->isConnected());
  dummy.link.send(welcome());
  EXPECT_TRUE(turnUntil([&] { return link->isConnected(); }));
}

TEST_F(StormoHandshakeTest, AChallengeThatDoesNotFitClosesTheLink) {
  const std::string ownChallenge =
      encode({.kind = Kind::Challenge, .payload = std::string(kChallengeBytes, '?')});
  const std::string shortChallenge = encode({.kind = Kind::Challenge, .payload = "?"});
  for (const auto& [secret, answer] :
       {std::pair("", ownChallenge), std::pair("s3cret", shortChallenge),
        std::pair("s3cret", welcome() + ownChallenge)}) {
    auto link = std::make_unique<ClientLink>(dummy.url(), ChannelOptions{.secret = secret});
    link->connect();
    ASSERT_TRUE(turnUntil([&] { return dummy.accept(); }));
    dummy.link.send(answer);
    ASSERT_TRUE(turnUntil([&] { return dummy.accept(); })) << "it tries again";
  }
}

}  // namespace
}  // namespace stormo::channel
