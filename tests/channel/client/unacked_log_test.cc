#include "channel/client/unacked_log.h"

#include <gtest/gtest.h>

#include <string>

#include "protocol/channel/packet.h"

namespace stormo::channel {
namespace {

std::string frame(std::uint64_t sequence, std::string_view text = "ciao") {
  return encode({.kind = Kind::Publish, .sequence = sequence, .channel = "g", .payload = text});
}

void put(UnackedLog& log, std::string_view bytes) {
  bytes.copy(log.extend(bytes.size()), bytes.size());
}

TEST(UnackedLog, KeepsUnacknowledgedPublishesInOrder) {
  UnackedLog log(1000);
  for (std::uint64_t i = 1; i <= 4; ++i) put(log, frame(i));
  EXPECT_EQ(log.all(), frame(1) + frame(2) + frame(3) + frame(4));
  EXPECT_EQ(log.last(frame(4).size()), frame(4));
  log.acknowledge(1);
  EXPECT_EQ(log.all(), frame(2) + frame(3) + frame(4));
  log.acknowledge(1);  // duplicate
  log.acknowledge(3);
  EXPECT_EQ(log.all(), frame(4));
  log.acknowledge(4);
  EXPECT_TRUE(log.empty());
  put(log, frame(5));
  EXPECT_EQ(log.all(), frame(5));
}

TEST(UnackedLog, KeepsEnqueueFrames) {
  UnackedLog log(1000);
  put(log, encode({.kind = Kind::Enqueue, .sequence = 1, .channel = "q", .payload = "N;"}));
  put(log, frame(2));
  log.acknowledge(1);
  EXPECT_EQ(log.all(), frame(2));
}

TEST(UnackedLog, IsLimitedButAcceptsAnySizeWhileEmpty) {
  UnackedLog log(100);
  EXPECT_TRUE(log.hasRoom(1'000'000));
  put(log, frame(1, std::string(50, 'x')));
  EXPECT_TRUE(log.hasRoom(100 - log.size()));
  EXPECT_FALSE(log.hasRoom(100 - log.size() + 1));
  EXPECT_FALSE(log.isRelaxed());
  log.acknowledge(1);
  EXPECT_TRUE(log.isRelaxed());
}

TEST(UnackedLog, LongTrafficKeepsAllUnacknowledgedPublishes) {
  UnackedLog log(10'000);
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    put(log, frame(i));
    if (i > 10) log.acknowledge(i - 10);
  }
  std::string expected;
  for (std::uint64_t i = 991; i <= 1000; ++i) expected += frame(i);
  EXPECT_EQ(log.all(), expected);
}

}  // namespace
}  // namespace stormo::channel
