#include "channel/server/producer_table.h"

#include <gtest/gtest.h>

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{TimePoint{} + 1000h};
constexpr ConnectionId kLink = 1;

class ProducerTableTest : public testing::Test {
 protected:
  /// Producer 7 has published up to sequence 5, and its link has ended.
  ProducerTableTest() {
    ProducerTable::Producer& producer = producers.enter(7, kStart);
    producer.taken = 5;
    producer.link = kLink;
    ProducerTable::leave(producer, kLink, kStart);
  }
  std::uint64_t takenAt(TimePoint now) { return producers.enter(7, now).taken; }

  ProducerTable producers;
};

TEST_F(ProducerTableTest, ReconnectedProducerIsKnownForAnHour) {
  EXPECT_EQ(takenAt(kStart + 60min), 5u);
}

TEST_F(ProducerTableTest, ProducerIsRemovedAnHourAfterItsLinkEnded) {
  EXPECT_EQ(producers.enter(8, kStart + 61min).taken, 0u);
  EXPECT_EQ(takenAt(kStart + 62min), 0u);
}

TEST_F(ProducerTableTest, ProducerWithALinkIsNotRemoved) {
  producers.enter(7, kStart).link = kLink;
  EXPECT_EQ(producers.enter(8, kStart + 3h).taken, 0u);
  EXPECT_EQ(takenAt(kStart + 6h), 5u);
}

}  // namespace
}  // namespace stormo::channel
