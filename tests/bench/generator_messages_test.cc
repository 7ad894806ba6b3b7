// What members make of the messages of a run: those that look at them, and those that count bytes.
#include "bench/generator_fixture.h"

namespace stormo::bench {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const Plan kOneMember{.members = 1, .groups = 1, .publishers = 1, .inFlight = 1};
/// The first publishes and looks, the second counts.
const Plan kTwoMembers{.members = 2, .groups = 1, .publishers = 1, .inFlight = 1};

class GeneratorMessages : public GeneratorTest {
 protected:
  /// To the end of the run. What was said until Stop counts as published.
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

TEST_F(GeneratorMessages, APublisherPublishesTheNextWhenItsOwnHasComeBack) {
  startAndProbe({.members = 1, .groups = 1, .publishers = 1, .inFlight = 2});
  reachWarmUp();
  EXPECT_EQ(sequenceOf(members[0].says()), 1u);
  EXPECT_EQ(sequenceOf(members[0].says()), 2u);
  EXPECT_THAT(members[0].settled(), IsEmpty());
  members[0].tell(message(0, 1));
  EXPECT_EQ(sequenceOf(members[0].says()), 3u);
  EXPECT_THAT(members[0].settled(), IsEmpty());
}

TEST_F(GeneratorMessages, AMessageThatComesTwiceMakesRoomForNoOther) {
  startAndProbe(kOneMember);
  reachWarmUp();
  EXPECT_EQ(sequenceOf(members[0].says()), 1u);
  members[0].tell(message(0, 1));
  members[0].tell(message(0, 1));
  EXPECT_EQ(sequenceOf(members[0].says()), 2u);
  EXPECT_THAT(members[0].settled(), IsEmpty());
  EXPECT_EQ(own().disordered.get(), 1u);
  EXPECT_EQ(progress->firstFault(), "member 0 got message 1 of publisher 0 after message 1");
}

TEST_F(GeneratorMessages, InAnOpenLoopNothingNeedComeBack) {
  startAndProbe({.members = 1, .groups = 1, .publishers = 1, .rate = 1000});
  reachWarmUp();
  for (std::uint32_t sequence = 1; sequence <= 5; ++sequence) {
    EXPECT_EQ(sequenceOf(members[0].says()), sequence);
  }
}

TEST_F(GeneratorMessages, WhatCameInOrderIsComplete) {
  startAndProbe(kTwoMembers);
  reachWarmUp();
  drain();
  for (ServedMember& member : members) member.tell(message(0, 1));
  awaitComplete();
  expectNoFaults();
  EXPECT_EQ(own().delivered.get(), 2u);
}

TEST_F(GeneratorMessages, SeveralInOneFrameAreSeveral) {
  startAndProbe({.members = 1, .groups = 1, .publishers = 1, .inFlight = 3, .checkAll = true});
  reachWarmUp();
  drain();
  members[0].tell("MSG 1 " + message(0, 1) + "\r\nMSG ~ " + message(0, 2) + message(0, 3));
  awaitComplete();
  expectNoFaults();
}

TEST_F(GeneratorMessages, AFrameMayComeByteByByte) {
  startAndProbe(kTwoMembers);
  reachWarmUp();
  drain();
  for (const char byte : serverFrame(0x81, message(0, 1))) {
    for (ServedMember& member : members) member.tellBytes({&byte, 1});
  }
  awaitComplete();
  expectNoFaults();
}

TEST_F(GeneratorMessages, LatencyIsThatOfTheMeasuredPart) {
  startAndProbe(kOneMember);
  reachWarmUp();
  members[0].tell(message(0, 1));
  EXPECT_EQ(members[0].settled().size(), 2u);  // the first, and the one that follows it
  reach(Phase::Measure);
  EXPECT_EQ(own().latency.count(), 0u);
  members[0].tell(message(0, 2));
  EXPECT_EQ(members[0].settled().size(), 1u);
  EXPECT_EQ(own().latency.count(), 1u);
}

TEST_F(GeneratorMessages, WhatIsLackingIsMissingToWhoLooksAndToWhoCounts) {
  startAndProbe({.members = 2, .groups = 1, .publishers = 1, .inFlight = 3});
  reachWarmUp();
  drain();
  for (ServedMember& member : members) member.tell(message(0, 1));
  await("two to be missing for each", [&] { return own().missing.get() == 4; });
  EXPECT_EQ(own().complete.get(), 0u);
}

TEST_F(GeneratorMessages, WhatComesTwiceIsTooMuchForWhoLooksAndForWhoCounts) {
  startAndProbe(kTwoMembers);
  reachWarmUp();
  drain();
  for (ServedMember& member : members) {
    for (int i = 0; i < 2; ++i) member.tell(message(0, 1));
  }
  await("one to be too many for each", [&] { return own().surplus.get() == 2; });
}

TEST_F(GeneratorMessages, ASingleByteTooMuchIsOneTooManyForWhoCounts) {
  startAndProbe(kTwoMembers);
  reachWarmUp();
  drain();
  for (ServedMember& member : members) member.tell(message(0, 1));
  awaitComplete();
  members[1].tellBytes("!");
  await("one to be too many", [&] { return own().surplus.get() == 1; });
}

// A reload of the server closes its clients: that is no duplicate.
TEST_F(GeneratorMessages, ACloseFrameIsNotCountedAsAMessage) {
  startAndProbe(kTwoMembers);
  reachWarmUp();
  drain();
  for (ServedMember& member : members) {
    member.tell(message(0, 1));
    member.tellBytes(serverFrame(0x88, "\x03\xf4"));  // 1012
    member.hangUp();
  }
  await("both ends to be seen", [&] { return own().closed.get() == 2; });
  await("no message to be too many", [&] { return own().surplus.get() == 0; });
  awaitComplete();
  EXPECT_EQ(own().missing.get(), 0u);
  EXPECT_EQ(own().disordered.get(), 0u);
}

TEST_F(GeneratorMessages, AMessageThatTheEndOfTheConnectionCutsOffIsMissing) {
  startAndProbe(kTwoMembers);
  reachWarmUp();
  drain();
  for (ServedMember& member : members) {
    const std::string whole = serverFrame(0x81, message(0, 1));
    member.tellBytes(whole.substr(0, whole.size() - 1));
    member.hangUp();
  }
  await("both ends to be seen", [&] { return own().closed.get() == 2; });
  await("both to be missing", [&] { return own().missing.get() == 2; });
  EXPECT_EQ(own().surplus.get(), 0u);
}

TEST_F(GeneratorMessages, AMessageOfAnotherGroupIsTooMuch) {
  startAndProbe({.members = 2, .groups = 2, .publishers = 2, .inFlight = 1});
  reachWarmUp();
  drain();
  members[0].tell(message(1, 1));  // the groups are mixed up: each hears the other
  members[1].tell(message(0, 1));
  await("both to be too many", [&] { return own().surplus.get() == 2; });
  EXPECT_EQ(own().missing.get(), 2u);
  EXPECT_THAT(progress->firstFault(), HasSubstr("who publishes nothing to its group"));
}

TEST_F(GeneratorMessages, WhatNobodyPublishedIsNotAnswered) {
  startAndProbe({.members = 2, .groups = 2, .publishers = 1, .inFlight = 1});
  reachWarmUp();
  // By a member that does not publish, by one that there is not, by the last that a stamp can name.
  for (const std::uint32_t publisher : {1U, 3U, 0xfffffU}) members[1].tell(message(publisher, 1));
  EXPECT_THAT(members[1].settled(), IsEmpty());
  drain();
  await("all to be too many", [&] { return own().surplus.get() == 3; });
}

// As from another process of the generator, which publishes already.
TEST_F(GeneratorMessages, WhoIsReadyCountsWhatComesBeforeItsOwnProcessPublishes) {
  startAndProbe(kTwoMembers);
  reach(Phase::Ready);
  for (ServedMember& member : members) member.tell(message(0, 1));
  await("both to have it", [&] { return own().delivered.get() == 2; });
  reach(Phase::WarmUp);
  drain();
  awaitComplete();
  expectNoFaults();
}

TEST_F(GeneratorMessages, WhoOnlyCountsSaysUnaskedThatItIsAlive) {
  Plan lively = kTwoMembers;
  lively.pulse = std::chrono::milliseconds(1);
  startAndProbe(lively);
  reach(Phase::Ready);
  EXPECT_EQ(members[1].says(), wire::pong(""));
  EXPECT_EQ(members[1].says(), wire::pong(""));
  EXPECT_THAT(members[0].settled(), IsEmpty());  // it sees pings, and answers them
}

TEST_F(GeneratorMessages, WhoWasClosedLacksMessagesButIsNotWaitedFor) {
  startAndProbe(kTwoMembers);
  reachWarmUp();
  members[1].hangUp();
  await("its end to be seen", [&] { return own().closed.get() == 1; });
  drain();
  members[0].tell(message(0, 1));
  awaitComplete();
  EXPECT_EQ(own().missing.get(), 1u);
  EXPECT_EQ(own().surplus.get(), 0u);
}

}  // namespace
}  // namespace stormo::bench
