#include "integration/cluster_ledger.h"

#include <gmock/gmock.h>

namespace stormo::integration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct ClusterLedgerTest : testing::Test {
  ClusterLedger ledger;
  const ClusterLedger::Member one = ledger.join(0);
  const ClusterLedger::Member two = ledger.join(0);
  const std::string first = ledger.nextMessage(one);
  const std::string second = ledger.nextMessage(one);

  void receiveBoth(ClusterLedger::Member member) {
    ledger.received(member, 5, first);
    ledger.received(member, 7, second);
  }
  void acknowledgeBoth() {
    ledger.acknowledged(first);
    ledger.acknowledged(second);
  }
};

TEST_F(ClusterLedgerTest, AcceptsTheSameSequenceAtAllMembers) {
  receiveBoth(two);
  receiveBoth(one);
  acknowledgeBoth();
  EXPECT_THAT(ledger.wrong(), IsEmpty());
  EXPECT_THAT(ledger.missing(), IsEmpty());
}

TEST_F(ClusterLedgerTest, ReportsAMissingMessageOfOneMember) {
  receiveBoth(two);
  acknowledgeBoth();
  ledger.received(one, 5, first);
  EXPECT_THAT(ledger.missing(), ElementsAre(HasSubstr("member 0 of group 0: received 1 of 2")));
}

TEST_F(ClusterLedgerTest, ReportsAMessageThatNobodyReceives) {
  ledger.received(one, 5, first);
  ledger.received(two, 5, first);
  acknowledgeBoth();
  EXPECT_THAT(ledger.missing(), ElementsAre(HasSubstr("of its 2 messages 2 are acknowledged, 1")));
}

TEST_F(ClusterLedgerTest, ReportsASendWithoutAcknowledgement) {
  receiveBoth(two);
  receiveBoth(one);
  ledger.acknowledged(first);
  EXPECT_THAT(ledger.missing(), SizeIs(1));
}

TEST_F(ClusterLedgerTest, ReportsADuplicateThatAllMembersReceive) {
  for (const auto member : {one, two}) {
    receiveBoth(member);
    ledger.received(member, 8, second);
  }
  EXPECT_THAT(ledger.wrong(), ElementsAre("member 0 got '0:2' at 8 after 2"));
}

TEST_F(ClusterLedgerTest, ReportsADuplicateOfOneMember) {
  receiveBoth(one);
  ledger.received(two, 5, first);
  ledger.received(two, 5, first);
  EXPECT_THAT(ledger.wrong(), ElementsAre("member 1 got '0:1' at 5, in the place of '0:2' at 7"));
}

TEST_F(ClusterLedgerTest, ReportsAnotherOrderAndAnotherOffset) {
  receiveBoth(one);
  ledger.received(two, 5, second);
  ledger.received(two, 8, second);
  EXPECT_THAT(ledger.wrong(), SizeIs(2));
}

TEST_F(ClusterLedgerTest, ReportsOffsetsThatDoNotIncrease) {
  ledger.received(one, 5, first);
  ledger.received(one, 5, second);
  EXPECT_THAT(ledger.wrong(), ElementsAre("member 0 got '0:2' at 5, after offset 5"));
}

TEST_F(ClusterLedgerTest, AMarkHasArrivedWhenAllMembersHaveReceivedWhatWasSentBefore) {
  auto mark = ledger.mark();
  EXPECT_FALSE(ledger.hasArrived(mark));
  acknowledgeBoth();
  const std::string later = ledger.nextMessage(two);
  receiveBoth(one);
  EXPECT_FALSE(ledger.hasArrived(mark));
  receiveBoth(two);
  EXPECT_TRUE(ledger.hasArrived(mark));
  ledger.received(one, 9, later);
  EXPECT_TRUE(ledger.hasArrived(mark));
}

}  // namespace
}  // namespace stormo::integration
