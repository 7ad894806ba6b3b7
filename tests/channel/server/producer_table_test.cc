#include "channel/server/producer_table.h"

#include <gtest/gtest.h>

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{TimePoint{} + 1000h};
constexpr ConnectionId kLink = 1;

class PublishersTest : public testing::Test {
 protected:
  /// Publisher 7 has published up to sequence 5, and its link has ended.
  PublishersTest() {
    ProducerTable::Publisher& publisher = publishers.enter(7, kStart);
    publisher.taken = 5;
    publisher.link = kLink;
    ProducerTable::leave(publisher, kLink, kStart);
  }
  std::uint64_t takenAt(TimePoint now) { return publishers.enter(7, now).taken; }

  ProducerTable publishers;
};

TEST_F(PublishersTest, APublisherThatReconnectsWithinAnHourIsKnown) {
  EXPECT_EQ(takenAt(kStart + 60min), 5u);
}

TEST_F(PublishersTest, APublisherIsForgottenAnHourAfterItsLinkEnded) {
  EXPECT_EQ(publishers.enter(8, kStart + 61min).taken, 0u);
  EXPECT_EQ(takenAt(kStart + 62min), 0u);
}

TEST_F(PublishersTest, APublisherWithALinkIsNotForgotten) {
  publishers.enter(7, kStart).link = kLink;
  EXPECT_EQ(publishers.enter(8, kStart + 3h).taken, 0u);
  EXPECT_EQ(takenAt(kStart + 6h), 5u);
}

}  // namespace
}  // namespace stormo::channel
