#include "channel/client/unacked_log.h"

#include <gtest/gtest.h>

#include <string>

#include "protocol/channel/packet.h"

namespace stormo::channel {
namespace {

std::string frame(std::uint64_t sequence, std::string_view text = "ciao") {
  return encode({.kind = Kind::Publish, .sequence = sequence, .channel = "g", .payload = text});
}

void put(UnackedLog& outbox, std::string_view bytes) {
  bytes.copy(outbox.extend(bytes.size()), bytes.size());
}

TEST(UnackedLog, KeepsWhatIsNotAcknowledgedInOrder) {
  UnackedLog outbox(1000);
  for (std::uint64_t i = 1; i <= 4; ++i) put(outbox, frame(i));
  EXPECT_EQ(outbox.all(), frame(1) + frame(2) + frame(3) + frame(4));
  EXPECT_EQ(outbox.last(frame(4).size()), frame(4));
  outbox.acknowledge(1);
  EXPECT_EQ(outbox.all(), frame(2) + frame(3) + frame(4));
  outbox.acknowledge(1);  // said again
  outbox.acknowledge(3);
  EXPECT_EQ(outbox.all(), frame(4));
  outbox.acknowledge(4);
  EXPECT_TRUE(outbox.empty());
  put(outbox, frame(5));
  EXPECT_EQ(outbox.all(), frame(5));
}

TEST(UnackedLog, KnowsFramesOfEnqueueToo) {
  UnackedLog outbox(1000);
  put(outbox, encode({.kind = Kind::Enqueue, .sequence = 1, .channel = "q", .payload = "N;"}));
  put(outbox, frame(2));
  outbox.acknowledge(1);
  EXPECT_EQ(outbox.all(), frame(2));
}

TEST(UnackedLog, IsBoundedButTakesAnythingWhileEmpty) {
  UnackedLog outbox(100);
  EXPECT_TRUE(outbox.hasRoom(1'000'000));
  put(outbox, frame(1, std::string(50, 'x')));
  EXPECT_TRUE(outbox.hasRoom(100 - outbox.size()));
  EXPECT_FALSE(outbox.hasRoom(100 - outbox.size() + 1));
  EXPECT_FALSE(outbox.isRelaxed());
  outbox.acknowledge(1);
  EXPECT_TRUE(outbox.isRelaxed());
}

TEST(UnackedLog, LongTrafficWithSomethingAlwaysInFlightStaysWhole) {
  UnackedLog outbox(10'000);
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    put(outbox, frame(i));
    if (i > 10) outbox.acknowledge(i - 10);
  }
  std::string expected;
  for (std::uint64_t i = 991; i <= 1000; ++i) expected += frame(i);
  EXPECT_EQ(outbox.all(), expected);
}

}  // namespace
}  // namespace stormo::channel
