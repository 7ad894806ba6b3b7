// The check of a fault test finds what it must find.
#include "integration/delivery_ledger.h"

#include <gmock/gmock.h>

namespace stormo::integration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DeliveryLedgerTest : public testing::Test {
 protected:
  DeliveryLedger ledger;
  const DeliveryLedger::Member first = ledger.join(7);
  const DeliveryLedger::Member second = ledger.join(7);
  const std::string ofFirst = ledger.nextMessage(first);
  const std::string ofSecond = ledger.nextMessage(second);
};

TEST_F(DeliveryLedgerTest, MessagesInTwoOrdersAreReported) {
  ledger.received(first, ofFirst);
  ledger.received(first, ofSecond);
  ledger.received(second, ofSecond);
  ledger.received(second, ofFirst);
  EXPECT_THAT(ledger.wrong(), IsEmpty());
  EXPECT_THAT(ledger.missing(), IsEmpty());
  EXPECT_THAT(ledger.withoutOneOrder(), ElementsAre(HasSubstr("group 7: member 0 got '0:1'")));
}

TEST_F(DeliveryLedgerTest, MembersThatJoinOrLeaveMeanwhileFitIntoOneOrder) {
  ledger.received(first, ofFirst);
  ledger.leave(first);
  ledger.received(second, ofFirst);
  const DeliveryLedger::Member third = ledger.join(7);
  ledger.received(third, ofSecond);
  ledger.received(second, ofSecond);
  EXPECT_THAT(ledger.withoutOneOrder(), IsEmpty());
}

TEST_F(DeliveryLedgerTest, DuplicatesAndGapsAreReported) {
  ledger.received(first, ofFirst);
  ledger.received(first, ofFirst);
  EXPECT_THAT(ledger.wrong(), ElementsAre(HasSubstr("member 0 got '0:1', after 1")));
  EXPECT_THAT(ledger.missing(), testing::Contains(HasSubstr("member 0 lacks 1 to 1 of member 1")));
}

}  // namespace
}  // namespace stormo::integration
