// Members' connections: the handshake, the join, probes, and how a connection ends.
#include "bench/generator_fixture.h"

namespace stormo::bench {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const Plan kOneMember{.members = 1, .groups = 1, .publishers = 1, .inFlight = 1};

class GeneratorConnections : public GeneratorTest {
 protected:
  void awaitOpen(std::size_t count) {
    await("members to join", [&] { return own().open.get() == count; });
  }
  void awaitClosed() {
    await("a closed connection", [&] { return own().closed.get() == 1; });
  }
};

TEST_F(GeneratorConnections, AMemberAsksForTheTargetOfItsGroup) {
  start({.target = "/group/{group}?a=b", .members = 1, .groups = 1, .publishers = 1});
  const std::string request = members[0].request();
  EXPECT_THAT(request, StartsWith("GET /group/g000000?a=b HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nHost: " + plan.host + "\r\n"));
}

TEST_F(GeneratorConnections, AMemberJoinsWhereverTheAnswerIsCut) {
  start(kOneMember);
  // With the beginning of a frame behind it, which is not lost.
  const std::string answer = ServedMember::answerTo(members[0].request());
  for (const char byte : answer + serverFrame(0x89, "early")) members[0].tellBytes({&byte, 1});
  EXPECT_EQ(members[0].says(), wire::text(R"({"cmd":"add_group","group_id":"g000000"})"));
  EXPECT_EQ(members[0].says(), wire::pong("early"));
  awaitOpen(1);
}

TEST_F(GeneratorConnections, WithAHelloTheJoinWaitsForItsReply) {
  Plan greeting = kOneMember;
  greeting.hello = "HI";
  greeting.helloReply = "YOU";
  greeting.join = "JOIN {group}";
  start(greeting);
  members[0].tellBytes(ServedMember::answerTo(members[0].request()));
  EXPECT_EQ(members[0].says(), wire::text("HI"));
  members[0].tell("something else, before");
  EXPECT_THAT(members[0].settled(), IsEmpty());
  EXPECT_EQ(own().open.get(), 0u);
  members[0].tell("YOU are welcome");
  EXPECT_EQ(members[0].says(), wire::text("JOIN g000000"));
  awaitOpen(1);
}

TEST_F(GeneratorConnections, ARefusalIsQuoted) {
  start(kOneMember);
  members[0].tellBytes("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  awaitClosed();
  EXPECT_EQ(progress->firstFault(), "the server refused: HTTP/1.1 403 Forbidden");
}

TEST_F(GeneratorConnections, AnAnswerToAnotherKeyIsARefusal) {
  start(kOneMember);
  members[0].tellBytes(websocket::upgradeResponse(websocket::acceptKey("another"), ""));
  awaitClosed();
  EXPECT_EQ(own().open.get(), 0u);
}

TEST_F(GeneratorConnections, AnAnswerWithoutEndIsNotReadForEver) {
  start(kOneMember);
  members[0].tellBytes("HTTP/1.1 101 Switching Protocols\r\nX: " + std::string(20'000, 'x'));
  awaitClosed();
  EXPECT_THAT(progress->firstFault(), HasSubstr("no end"));
}

TEST_F(GeneratorConnections, AServerThatHangsUpIsFoundOut) {
  startAndProbe(kOneMember);
  members[0].hangUp();
  awaitClosed();
  EXPECT_EQ(progress->firstFault(), "the server closed the connection");
}

TEST_F(GeneratorConnections, AServerThatSaysCloseIsFoundOut) {
  startAndProbe(kOneMember);
  members[0].tellBytes(serverFrame(0x88, ""));
  awaitClosed();
  EXPECT_EQ(progress->firstFault(), "the server closed the WebSocket");
  members[0].awaitEnd();
}

TEST_F(GeneratorConnections, FramesThatNoServerMaySendCloseTheirConnectionAlone) {
  const std::string broken[] = {
      clientFrame(websocket::Opcode::Text, "masked"),
      serverFrame(0x01, "a fragment"),
      serverFrame(0x83, "of an opcode that there is not"),
      wire::bytes({0x81, 127, 0, 0, 0, 0, 255, 0, 0, 0}),
  };
  startAndProbe({.members = 5, .groups = 5, .publishers = 5});
  for (std::size_t i = 0; i < std::size(broken); ++i) {
    members[i].tellBytes(broken[i]);
    members[i].awaitEnd();
  }
  EXPECT_THAT(members.back().settled(), IsEmpty());
  EXPECT_EQ(own().closed.get(), std::size(broken));
  EXPECT_EQ(progress->firstFault(), "the server sent a masked frame");
}

TEST_F(GeneratorConnections, EachRoundOfProbesIsHeardAnew) {
  startAndProbe(kOneMember);
  progress->setProbeRound(2);
  EXPECT_EQ(members[0].says(), wire::text(message(0, 0, 2)));
  await("the round to be sent", [&] { return progress->allProbed(2); });
  EXPECT_EQ(own().heard.get(), 0u);
  members[0].tell(message(0, 0, 1));  // an old one, late
  EXPECT_THAT(members[0].settled(), IsEmpty());
  EXPECT_EQ(own().heard.get(), 0u);
  members[0].tell(message(0, 0, 2));
  await("the probe to be heard", [&] { return own().heard.get() == 1; });
}

// Another process of the generator may have been faster.
TEST_F(GeneratorConnections, AProbeIsHeardThatComesBeforeItsRoundIsKnownHere) {
  startAndProbe(kOneMember);
  members[0].tell(message(0, 0, 2));
  EXPECT_THAT(members[0].settled(), IsEmpty());
  progress->setProbeRound(2);
  await("the probe to be heard", [&] { return progress->allProbed(2) && own().heard.get() == 1; });
}

}  // namespace
}  // namespace stormo::bench
