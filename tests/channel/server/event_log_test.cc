#include "channel/server/event_log.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "protocol/channel/packet.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr TimePoint kStart{};

void put(EventLog& log, std::uint64_t offset, std::string_view text, TimePoint now = kStart) {
  const Packet event{
      .kind = Kind::Event, .epoch = 1, .offset = offset, .channel = "g", .payload = text};
  const std::string frame = encode(event);
  frame.copy(log.append(offset, frame.size(), now), frame.size());
}

std::vector<std::uint64_t> after(const EventLog& log, std::uint64_t offset) {
  std::vector<std::uint64_t> offsets;
  log.visitAfter(offset, [&](std::string_view frame) {
    Packet packet;
    EXPECT_EQ(decode(frame.substr(4), packet), Decode::Ok);
    offsets.push_back(packet.offset);
    return true;
  });
  return offsets;
}

TEST(EventLog, VisitsEventsAfterAnOffset) {
  EventLog log(1 << 20, 60s);
  for (const std::uint64_t offset : {1, 2, 4, 7}) put(log, offset, "ciao");
  EXPECT_THAT(after(log, 0), ElementsAre(1, 2, 4, 7));
  EXPECT_THAT(after(log, 2), ElementsAre(4, 7));
  EXPECT_THAT(after(log, 5), ElementsAre(7));
  EXPECT_THAT(after(log, 7), IsEmpty());
  EXPECT_TRUE(log.reaches(0));
}

TEST(EventLog, VisitStopsWhenTheFunctionReturnsFalse) {
  EventLog log(1 << 20, 60s);
  const std::string large(200'000, 'x');  // one chunk each
  for (const std::uint64_t offset : {1, 2, 3}) put(log, offset, large);
  int visited = 0;
  log.visitAfter(1, [&](std::string_view) {
    ++visited;
    return false;
  });
  EXPECT_EQ(visited, 1);
}

TEST(EventLog, RemovesTheOldestEventsAboveItsByteLimit) {
  EventLog log(1 << 20, 60s);
  const std::string large(100'000, 'x');
  for (std::uint64_t offset = 1; offset <= 100; ++offset) put(log, offset, large);
  const std::vector<std::uint64_t> left = after(log, 0);
  ASSERT_FALSE(left.empty());
  EXPECT_LT(left.size(), 20u);
  EXPECT_EQ(left.back(), 100u);
  EXPECT_FALSE(log.reaches(0));
  EXPECT_FALSE(log.reaches(left.front() - 2));
  EXPECT_TRUE(log.reaches(left.front() - 1));
}

TEST(EventLog, RemovesEventsAboveTheAgeLimit) {
  EventLog log(1 << 20, 60s);
  put(log, 1, "old");
  put(log, 2, "young", kStart + 61s);
  EXPECT_THAT(after(log, 0), ElementsAre(2));
  EXPECT_FALSE(log.reaches(0));
  EXPECT_TRUE(log.reaches(1));
}

TEST(EventLog, KeepsAnEventLargerThanItsByteLimit) {
  EventLog log(1000, 60s);
  put(log, 1, std::string(1 << 20, 'x'));
  EXPECT_THAT(after(log, 0), ElementsAre(1));
  put(log, 2, "small");
  EXPECT_EQ(after(log, 0).back(), 2u);
}

}  // namespace
}  // namespace stormo::channel
