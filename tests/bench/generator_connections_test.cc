// Members' connections: handshake, join, probes, and how a connection ends.
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

TEST_F(GeneratorConnections, MemberRequestsTheTargetOfItsGroup) {
  start({.target = "/group/{group}?a=b", .members = 1, .groups = 1, .publishers = 1});
  const std::string request = members[0].request();
  EXPECT_THAT(request, StartsWith("GET /group/g000000?a=b HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nHost: " + plan.host + "\r\n"));
}

TEST_F(GeneratorConnections, MemberJoinsWhereverTheResponseIsCut) {
  start(kOneMember);
  // The beginning of a frame follows the response and must not be lost.
  const std::string answer = ServedMember::answerTo(members[0].request());
  for (const char byte : answer + wire::serverFrame(0x89, "early"))
    members[0].sendBytes({&byte, 1});
  EXPECT_EQ(members[0].receive(), wire::text(R"({"cmd":"add_group","group_id":"g000000"})"));
  EXPECT_EQ(members[0].receive(), wire::pong("early"));
  awaitOpen(1);
}

TEST_F(GeneratorConnections, JoinWaitsForTheReplyToHello) {
  Plan greeting = kOneMember;
  greeting.hello = "HI";
  greeting.helloReply = "YOU";
  greeting.join = "JOIN {group}";
  start(greeting);
  members[0].sendBytes(ServedMember::answerTo(members[0].request()));
  EXPECT_EQ(members[0].receive(), wire::text("HI"));
  members[0].sendText("another message first");
  EXPECT_THAT(members[0].settled(), IsEmpty());
  EXPECT_EQ(own().open.get(), 0u);
  members[0].sendText("YOU are welcome");
  EXPECT_EQ(members[0].receive(), wire::text("JOIN g000000"));
  awaitOpen(1);
}

TEST_F(GeneratorConnections, RefusedHandshakeIsReportedWithItsStatus) {
  start(kOneMember);
  members[0].sendBytes("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  awaitClosed();
  EXPECT_EQ(progress->firstFault(), "the server refused: HTTP/1.1 403 Forbidden");
}

TEST_F(GeneratorConnections, ResponseToAnotherKeyIsARefusal) {
  start(kOneMember);
  members[0].sendBytes(websocket::upgradeResponse(websocket::acceptKey("another"), ""));
  awaitClosed();
  EXPECT_EQ(own().open.get(), 0u);
}

TEST_F(GeneratorConnections, EndlessHandshakeResponseClosesTheConnection) {
  start(kOneMember);
  members[0].sendBytes("HTTP/1.1 101 Switching Protocols\r\nX: " + std::string(20'000, 'x'));
  awaitClosed();
  EXPECT_THAT(progress->firstFault(), HasSubstr("no end"));
}

TEST_F(GeneratorConnections, ServerDisconnectIsReported) {
  startAndProbe(kOneMember);
  members[0].close();
  awaitClosed();
  EXPECT_EQ(progress->firstFault(), "the server closed the connection");
}

TEST_F(GeneratorConnections, CloseFrameIsReported) {
  startAndProbe(kOneMember);
  members[0].sendBytes(wire::serverFrame(0x88, ""));
  awaitClosed();
  EXPECT_EQ(progress->firstFault(), "the server closed the WebSocket");
  members[0].awaitEnd();
}

TEST_F(GeneratorConnections, InvalidFramesCloseOnlyTheirConnection) {
  const std::string broken[] = {
      clientFrame(websocket::Opcode::Text, "masked"),
      wire::serverFrame(0x01, "a fragment"),
      wire::serverFrame(0x83, "unknown opcode"),
      wire::bytes({0x81, 127, 0, 0, 0, 0, 255, 0, 0, 0}),
  };
  startAndProbe({.members = 5, .groups = 5, .publishers = 5});
  for (std::size_t i = 0; i < std::size(broken); ++i) {
    members[i].sendBytes(broken[i]);
    members[i].awaitEnd();
  }
  EXPECT_THAT(members.back().settled(), IsEmpty());
  EXPECT_EQ(own().closed.get(), std::size(broken));
  EXPECT_EQ(progress->firstFault(), "the server sent an invalid frame: frame is masked");
}

TEST_F(GeneratorConnections, ProbesOfAnEarlierRoundAreIgnored) {
  startAndProbe(kOneMember);
  progress->setProbeRound(2);
  EXPECT_EQ(members[0].receive(), wire::text(message(0, 0, 2)));
  await("the round to be sent", [&] { return progress->allProbed(2); });
  EXPECT_EQ(own().probesReceived.get(), 0u);
  members[0].sendText(message(0, 0, 1));  // of an earlier round
  EXPECT_THAT(members[0].settled(), IsEmpty());
  EXPECT_EQ(own().probesReceived.get(), 0u);
  members[0].sendText(message(0, 0, 2));
  await("the probe to be received", [&] { return own().probesReceived.get() == 1; });
}

// Another process of the generator may be ahead.
TEST_F(GeneratorConnections, ProbeOfALaterRoundIsCountedWhenTheRoundStarts) {
  startAndProbe(kOneMember);
  members[0].sendText(message(0, 0, 2));
  EXPECT_THAT(members[0].settled(), IsEmpty());
  progress->setProbeRound(2);
  await("the probe to be received",
        [&] { return progress->allProbed(2) && own().probesReceived.get() == 1; });
}

}  // namespace
}  // namespace stormo::bench
