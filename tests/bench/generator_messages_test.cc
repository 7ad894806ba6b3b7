// How members count the messages of a run: members that read them, and members that count bytes.
#include "bench/generator_fixture.h"

namespace stormo::bench {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const Plan kOneMember{.members = 1, .groups = 1, .publishers = 1, .inFlight = 1};
/// The first publishes and reads, the second counts.
const Plan kTwoMembers{.members = 2, .groups = 1, .publishers = 1, .inFlight = 1};

class GeneratorMessages : public GeneratorTest {
 protected:
  /// Continues to the end of the run. Messages sent before Stop count as published.
  void drain() {
    reach(Phase::Measure);
    reach(Phase::Stop);
    reach(Phase::Drain);
  }
  void awaitComplete() {
    await("all to be complete", [&] { return own().complete.get() == plan.members; });
  }
  void expectNoFaults() {
    EXPECT_EQ(own().missing.get(), 0u);
    EXPECT_EQ(own().surplus.get(), 0u);
    EXPECT_EQ(own().disordered.get(), 0u);
    EXPECT_EQ(progress->firstFault(), "");
  }
};

TEST_F(GeneratorMessages, PublisherSendsTheNextMessageWhenItReceivesItsOwn) {
  startAndProbe({.members = 1, .groups = 1, .publishers = 1, .inFlight = 2});
  reachWarmUp();
  EXPECT_EQ(sequenceOf(members[0].receive()), 1u);
  EXPECT_EQ(sequenceOf(members[0].receive()), 2u);
  EXPECT_THAT(members[0].settled(), IsEmpty());
  members[0].sendText(message(0, 1));
  EXPECT_EQ(sequenceOf(members[0].receive()), 3u);
  EXPECT_THAT(members[0].settled(), IsEmpty());
}

TEST_F(GeneratorMessages, DuplicateDoesNotStartAnotherMessage) {
  startAndProbe(kOneMember);
  reachWarmUp();
  EXPECT_EQ(sequenceOf(members[0].receive()), 1u);
  members[0].sendText(message(0, 1));
  members[0].sendText(message(0, 1));
  EXPECT_EQ(sequenceOf(members[0].receive()), 2u);
  EXPECT_THAT(members[0].settled(), IsEmpty());
  EXPECT_EQ(own().disordered.get(), 1u);
  EXPECT_EQ(progress->firstFault(), "member 0 received message 1 of publisher 0 after message 1");
}

TEST_F(GeneratorMessages, OpenLoopPublishesWithoutDeliveries) {
  startAndProbe({.members = 1, .groups = 1, .publishers = 1, .rate = 1000});
  reachWarmUp();
  for (std::uint32_t sequence = 1; sequence <= 5; ++sequence) {
    EXPECT_EQ(sequenceOf(members[0].receive()), sequence);
  }
}

TEST_F(GeneratorMessages, MessagesInOrderAreComplete) {
  startAndProbe(kTwoMembers);
  reachWarmUp();
  drain();
  for (ServedMember& member : members) member.sendText(message(0, 1));
  awaitComplete();
  expectNoFaults();
  EXPECT_EQ(own().delivered.get(), 2u);
}

TEST_F(GeneratorMessages, SeveralMessagesInOneFrameAreCounted) {
  startAndProbe({.members = 1, .groups = 1, .publishers = 1, .inFlight = 3, .checkAll = true});
  reachWarmUp();
  drain();
  members[0].sendText("MSG 1 " + message(0, 1) + "\r\nMSG ~ " + message(0, 2) + message(0, 3));
  awaitComplete();
  expectNoFaults();
}

TEST_F(GeneratorMessages, FrameMayArriveByteByByte) {
  startAndProbe(kTwoMembers);
  reachWarmUp();
  drain();
  for (const char byte : wire::serverFrame(0x81, message(0, 1))) {
    for (ServedMember& member : members) member.sendBytes({&byte, 1});
  }
  awaitComplete();
  expectNoFaults();
}

TEST_F(GeneratorMessages, LatencyIsThatOfTheMeasuredPart) {
  startAndProbe(kOneMember);
  reachWarmUp();
  members[0].sendText(message(0, 1));
  EXPECT_EQ(members[0].settled().size(), 2u);  // the first one, and the one after it
  reach(Phase::Measure);
  EXPECT_EQ(own().latency.count(), 0u);
  members[0].sendText(message(0, 2));
  EXPECT_EQ(members[0].settled().size(), 1u);
  EXPECT_EQ(own().latency.count(), 1u);
}

TEST_F(GeneratorMessages, MissingMessagesAreReportedByReadersAndCounters) {
  startAndProbe({.members = 2, .groups = 1, .publishers = 1, .inFlight = 3});
  reachWarmUp();
  drain();
  for (ServedMember& member : members) member.sendText(message(0, 1));
  await("two to be missing for each", [&] { return own().missing.get() == 4; });
  EXPECT_EQ(own().complete.get(), 0u);
}

TEST_F(GeneratorMessages, DuplicatesAreSurplusForReadersAndCounters) {
  startAndProbe(kTwoMembers);
  reachWarmUp();
  drain();
  for (ServedMember& member : members) {
    for (int i = 0; i < 2; ++i) member.sendText(message(0, 1));
  }
  await("one surplus message for each", [&] { return own().surplus.get() == 2; });
}

TEST_F(GeneratorMessages, OneSurplusByteIsASurplusMessageForCounters) {
  startAndProbe(kTwoMembers);
  reachWarmUp();
  drain();
  for (ServedMember& member : members) member.sendText(message(0, 1));
  awaitComplete();
  members[1].sendBytes("!");
  await("one surplus message", [&] { return own().surplus.get() == 1; });
}

// A reload of the server closes its clients; the close frame is not a duplicate.
TEST_F(GeneratorMessages, ACloseFrameIsNotCountedAsAMessage) {
  startAndProbe(kTwoMembers);
  reachWarmUp();
  drain();
  for (ServedMember& member : members) {
    member.sendText(message(0, 1));
    member.sendBytes(wire::serverFrame(0x88, "\x03\xf4"));  // 1012
    member.close();
  }
  await("both connections to be closed", [&] { return own().closed.get() == 2; });
  await("no surplus message", [&] { return own().surplus.get() == 0; });
  awaitComplete();
  EXPECT_EQ(own().missing.get(), 0u);
  EXPECT_EQ(own().disordered.get(), 0u);
}

TEST_F(GeneratorMessages, MessageCutByTheEndOfTheConnectionIsMissing) {
  startAndProbe(kTwoMembers);
  reachWarmUp();
  drain();
  for (ServedMember& member : members) {
    const std::string whole = wire::serverFrame(0x81, message(0, 1));
    member.sendBytes(whole.substr(0, whole.size() - 1));
    member.close();
  }
  await("both connections to be closed", [&] { return own().closed.get() == 2; });
  await("both to be missing", [&] { return own().missing.get() == 2; });
  EXPECT_EQ(own().surplus.get(), 0u);
}

TEST_F(GeneratorMessages, MessageOfAnotherGroupIsSurplus) {
  startAndProbe({.members = 2, .groups = 2, .publishers = 2, .inFlight = 1});
  reachWarmUp();
  drain();
  members[0].sendText(message(1, 1));  // wrong groups: each receives the other's message
  members[1].sendText(message(0, 1));
  await("both to be surplus", [&] { return own().surplus.get() == 2; });
  EXPECT_EQ(own().missing.get(), 2u);
  EXPECT_THAT(progress->firstFault(), HasSubstr("which does not publish to its group"));
}

TEST_F(GeneratorMessages, MessageOfAnUnknownPublisherIsSurplus) {
  startAndProbe({.members = 2, .groups = 2, .publishers = 1, .inFlight = 1});
  reachWarmUp();
  // From a member that does not publish, a member that does not exist, and the last one that a
  // stamp can name.
  for (const std::uint32_t publisher : {1U, 3U, 0xfffffU})
    members[1].sendText(message(publisher, 1));
  EXPECT_THAT(members[1].settled(), IsEmpty());
  drain();
  await("all to be surplus", [&] { return own().surplus.get() == 3; });
}

// As if another process of the generator already published.
TEST_F(GeneratorMessages, ReadyMembersCountMessagesOfOtherProcesses) {
  startAndProbe(kTwoMembers);
  reach(Phase::Ready);
  for (ServedMember& member : members) member.sendText(message(0, 1));
  await("both to be delivered", [&] { return own().delivered.get() == 2; });
  reach(Phase::WarmUp);
  drain();
  awaitComplete();
  expectNoFaults();
}

TEST_F(GeneratorMessages, CountingMembersSendUnsolicitedPongs) {
  Plan lively = kTwoMembers;
  lively.pulse = std::chrono::milliseconds(1);
  startAndProbe(lively);
  reach(Phase::Ready);
  EXPECT_EQ(members[1].receive(), wire::pong(""));
  EXPECT_EQ(members[1].receive(), wire::pong(""));
  EXPECT_THAT(members[0].settled(), IsEmpty());  // it reads pings and answers them
}

TEST_F(GeneratorMessages, ClosedMemberHasMissingMessagesButIsNotAwaited) {
  startAndProbe(kTwoMembers);
  reachWarmUp();
  members[1].close();
  await("the connection to be closed", [&] { return own().closed.get() == 1; });
  drain();
  members[0].sendText(message(0, 1));
  awaitComplete();
  EXPECT_EQ(own().missing.get(), 1u);
  EXPECT_EQ(own().surplus.get(), 0u);
}

}  // namespace
}  // namespace stormo::bench
