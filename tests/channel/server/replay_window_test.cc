#include "channel/server/replay_window.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "protocol/channel/packet.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kStart = 1'000'000;

void put(ReplayWindow& window, std::uint64_t offset, std::string_view text,
         std::uint64_t now = kStart) {
  const Packet event{
      .kind = Kind::Event, .epoch = 1, .offset = offset, .channel = "g", .payload = text};
  const std::string frame = encode(event);
  frame.copy(window.append(offset, frame.size(), now), frame.size());
}

std::vector<std::uint64_t> after(const ReplayWindow& window, std::uint64_t offset) {
  std::vector<std::uint64_t> offsets;
  window.visitFrom(offset + 1, [&](std::string_view frame) {
    Packet packet;
    EXPECT_EQ(decode(frame.substr(4), packet), Decode::Ok);
    offsets.push_back(packet.offset);
    return true;
  });
  return offsets;
}

TEST(ReplayWindow, VisitsEventsAfterAnOffset) {
  ReplayWindow window(1 << 20, 60s);
  for (const std::uint64_t offset : {1, 2, 4, 7}) put(window, offset, "ciao");
  EXPECT_THAT(after(window, 0), ElementsAre(1, 2, 4, 7));
  EXPECT_THAT(after(window, 2), ElementsAre(4, 7));
  EXPECT_THAT(after(window, 5), ElementsAre(7));
  EXPECT_THAT(after(window, 7), IsEmpty());
  EXPECT_TRUE(window.reaches(0));
}

TEST(ReplayWindow, VisitStopsWhenTheVisitorReturnsFalse) {
  ReplayWindow window(1 << 20, 60s);
  const std::string large(200'000, 'x');  // one chunk each
  for (const std::uint64_t offset : {1, 2, 3}) put(window, offset, large);
  int visited = 0;
  window.visitFrom(2, [&](std::string_view) {
    ++visited;
    return false;
  });
  EXPECT_EQ(visited, 1);
}

TEST(ReplayWindow, RemovesTheOldestEventsAboveItsByteLimit) {
  ReplayWindow window(1 << 20, 60s);
  const std::string large(100'000, 'x');
  for (std::uint64_t offset = 1; offset <= 100; ++offset) put(window, offset, large);
  const std::vector<std::uint64_t> left = after(window, 0);
  ASSERT_FALSE(left.empty());
  EXPECT_LT(left.size(), 20u);
  EXPECT_EQ(left.back(), 100u);
  EXPECT_FALSE(window.reaches(0));
  EXPECT_FALSE(window.reaches(left.front() - 2));
  EXPECT_TRUE(window.reaches(left.front() - 1));
}

TEST(ReplayWindow, RemovesEventsAboveTheAgeLimit) {
  ReplayWindow window(1 << 20, 60s);
  put(window, 1, "old");
  put(window, 2, "young", kStart + 61'000);
  EXPECT_THAT(after(window, 0), ElementsAre(2));
  EXPECT_FALSE(window.reaches(0));
  EXPECT_TRUE(window.reaches(1));
}

TEST(ReplayWindow, KeepsAnEventLargerThanItsByteLimit) {
  ReplayWindow window(1000, 60s);
  put(window, 1, std::string(1 << 20, 'x'));
  EXPECT_THAT(after(window, 0), ElementsAre(1));
  put(window, 2, "small");
  EXPECT_EQ(after(window, 0).back(), 2u);
}

TEST(ReplayWindow, ClearedWindowReachesLaterOffsetsOnly) {
  ReplayWindow window(1 << 20, 60s);
  put(window, 7, "before");
  window.clear(7);
  EXPECT_FALSE(window.reaches(6));
  EXPECT_TRUE(window.reaches(7));
  EXPECT_THAT(after(window, 0), IsEmpty());
  put(window, 8, "after");
  EXPECT_THAT(after(window, 7), ElementsAre(8));
}

}  // namespace
}  // namespace stormo::channel
