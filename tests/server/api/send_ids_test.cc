#include "server/api/send_ids.h"

#include <gtest/gtest.h>

namespace stormo::server::api {
namespace {

TEST(ApiSendIds, ARetryHasTheSameIdentities) {
  SendIds first("web", "order-7");
  SendIds retry("web", "order-7");
  for (std::uint64_t number = 1; number <= 3; ++number) {
    const SendId id = first.next();
    const SendId again = retry.next();
    EXPECT_EQ(id.number, number);
    EXPECT_NE(id.session, 0u);
    EXPECT_EQ(id.session, again.session);
    EXPECT_EQ(id.number, again.number);
  }
  EXPECT_EQ(first.ofMatch(0, "a").session, retry.ofMatch(0, "a").session);
}

TEST(ApiSendIds, OtherKeysHaveOtherSessions) {
  const std::uint64_t session = SendIds("web", "order-7").next().session;
  EXPECT_NE(session, SendIds("web", "order-8").next().session);
  EXPECT_NE(session, SendIds("shop", "order-7").next().session);
  EXPECT_NE(SendIds("a", "bc").next().session, SendIds("ab", "c").next().session);
}

TEST(ApiSendIds, EachGroupThatMatchesAPatternHasItsOwnSession) {
  const SendIds ids("web", "order-7");
  EXPECT_NE(ids.ofMatch(0, "a").session, ids.ofMatch(0, "b").session);
  EXPECT_NE(ids.ofMatch(0, "a").session, ids.ofMatch(1, "a").session);
  EXPECT_EQ(ids.ofMatch(0, "a").number, 1u);
}

TEST(ApiSendIds, WithoutAKeyNoSendHasAnIdentity) {
  SendIds none;
  EXPECT_EQ(none.next().session, 0u);
  EXPECT_EQ(none.ofMatch(0, "a").session, 0u);
}

TEST(ApiSendIds, KeysArePrintable) {
  EXPECT_FALSE(complaintOfIdempotencyKey("5f0c-7"));
  EXPECT_TRUE(complaintOfIdempotencyKey(""));
  EXPECT_TRUE(complaintOfIdempotencyKey("a\tb"));
  EXPECT_TRUE(complaintOfIdempotencyKey(std::string(256, 'x')));
  EXPECT_TRUE(complaintOfIdempotencyKey("\xc3\xa4"));
}

}  // namespace
}  // namespace stormo::server::api
