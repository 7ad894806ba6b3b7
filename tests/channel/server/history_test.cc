#include "channel/server/history.h"

#include <gmock/gmock.h>
#include <stormo/audience.h>

#include <optional>
#include <string>
#include <vector>

#include "protocol/channel/packet.h"
#include "protocol/package/frame.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

constexpr std::uint64_t kStart = 1'000'000;

Server::History limits(std::vector<std::string> groups = {"*"}) {
  return {.groups = std::move(groups)};
}

std::string eventOf(std::string_view group, std::uint64_t offset, std::string_view text) {
  return encode({.kind = Kind::Event,
                 .payloadKind = PayloadKind::Text,
                 .space = Space::Groups,
                 .epoch = 1,
                 .offset = offset,
                 .channel = group,
                 .payload = text});
}

void append(History& history, std::string_view group, std::uint64_t offset,
            std::uint64_t now = kStart, std::string_view text = "ciao") {
  history.append(group, offset, eventOf(group, offset, text), now);
}

/// The offsets of the events after `offset`; nullopt if the history is incomplete.
std::optional<std::vector<std::uint64_t>> since(const History& history, std::string_view group,
                                                std::uint64_t offset, std::uint64_t now = kStart) {
  std::string frames;
  std::vector<std::uint64_t> offsets;
  if (!history.appendAfter(group, offset, now, frames)) {
    EXPECT_EQ(frames, "");
    return std::nullopt;
  }
  for (std::string_view rest = frames; !rest.empty();) {
    const std::string_view frame = firstFrame(rest);
    Packet event;
    EXPECT_EQ(decode(framePayload(frame), event), Decode::Ok);
    EXPECT_EQ(event.channel, group);
    offsets.push_back(event.offset);
    rest.remove_prefix(frame.size());
  }
  return offsets;
}

TEST(History, NameWithAZeroByteIsMatchedToItsEnd) {
  using std::string_literals::operator""s;
  History history(limits({"news", "chat.*"}));
  for (const std::string& name : {"news\0old"s, "\0news"s, "chat.\0"s, "news"s}) {
    append(history, name, 1);
  }
  EXPECT_THAT(since(history, "news\0old"s, 0), testing::Eq(std::nullopt));
  EXPECT_THAT(since(history, "\0news"s, 0), testing::Eq(std::nullopt));
  EXPECT_THAT(since(history, "chat.\0"s, 0), Optional(ElementsAre(1)));
  EXPECT_THAT(since(history, "news", 0), Optional(ElementsAre(1)));
}

TEST(History, MoreNamesThanCachedMatchesAreMatchedCorrectly) {
  History history(limits({"kept.*"}));
  for (std::uint64_t i = 0; i < 100'002; ++i) append(history, "other." + std::to_string(i), i);
  append(history, "other.1", 200'000);
  append(history, "kept.1", 200'001);
  EXPECT_THAT(since(history, "other.1", 0), testing::Eq(std::nullopt));
  EXPECT_THAT(since(history, "kept.1", 0), Optional(ElementsAre(200'001)));
}

TEST(History, ReturnsMessagesOfAGroupSinceAnOffset) {
  History history(limits());
  append(history, "a", 1);
  append(history, "b", 2);
  append(history, "a", 3);
  append(history, "a", 6);
  EXPECT_THAT(since(history, "a", 0), Optional(ElementsAre(1, 3, 6)));
  EXPECT_THAT(since(history, "a", 1), Optional(ElementsAre(3, 6)));
  EXPECT_THAT(since(history, "a", 2), Optional(ElementsAre(3, 6)));
  EXPECT_THAT(since(history, "a", 6), Optional(IsEmpty()));
  EXPECT_THAT(since(history, "b", 0), Optional(ElementsAre(2)));
  EXPECT_THAT(since(history, "unused", 0), Optional(IsEmpty()));
}

TEST(History, KeepsGroupsThatMatchAPattern) {
  History history(limits({"room.*", "news"}));
  std::uint64_t offset = 0;
  for (const char* group : {"room.1", "news", "newspaper", "room"})
    append(history, group, ++offset);
  EXPECT_THAT(since(history, "room.1", 0), Optional(ElementsAre(1)));
  EXPECT_THAT(since(history, "news", 0), Optional(ElementsAre(2)));
  EXPECT_EQ(since(history, "newspaper", 0), std::nullopt);
  EXPECT_EQ(since(history, "room", 9), std::nullopt);
}

TEST(History, KeepsNothingWithoutAPattern) {
  History history(limits({}));
  append(history, "a", 1);
  EXPECT_EQ(since(history, "a", 0), std::nullopt);
  EXPECT_EQ(history.bytes(), 0u);
}

TEST(History, RemovesTheOldestMessagesAboveTheCountLimit) {
  Server::History three = limits();
  three.messagesMax = 3;
  History history(three);
  for (std::uint64_t offset = 1; offset <= 1000; ++offset) append(history, "a", 2 * offset);
  EXPECT_EQ(since(history, "a", 1993), std::nullopt);
  EXPECT_THAT(since(history, "a", 1994), Optional(ElementsAre(1996, 1998, 2000)));
  EXPECT_THAT(since(history, "a", 1997), Optional(ElementsAre(1998, 2000)));
}

TEST(History, RemovesTheOldestMessagesAboveTheByteLimit) {
  Server::History little = limits();
  little.bytesMax = 3000;
  History history(little);
  for (std::uint64_t offset = 1; offset <= 10; ++offset) {
    append(history, "a", offset, kStart, std::string(900, '.'));
    EXPECT_LE(history.bytes(), 3000u);
  }
  EXPECT_EQ(since(history, "a", 6), std::nullopt);
  EXPECT_THAT(since(history, "a", 7), Optional(ElementsAre(8, 9, 10)));
}

TEST(History, MessageAboveTheByteLimitIsAGap) {
  Server::History little = limits();
  little.bytesMax = 1000;
  History history(little);
  append(history, "a", 1);
  append(history, "a", 2, kStart, std::string(2000, '.'));
  EXPECT_EQ(history.bytes(), 0u);
  EXPECT_EQ(since(history, "a", 1), std::nullopt);
  EXPECT_THAT(since(history, "a", 2), Optional(IsEmpty()));
  append(history, "a", 3);
  EXPECT_THAT(since(history, "a", 2), Optional(ElementsAre(3)));
}

TEST(History, RemovesEventsAboveTheAgeLimit) {
  Server::History minute = limits();
  minute.ageMax = 60s;
  History history(minute);
  append(history, "a", 1, kStart);
  append(history, "a", 2, kStart + 50'000);
  EXPECT_THAT(since(history, "a", 0, kStart + 60'000), Optional(ElementsAre(1, 2)));
  EXPECT_EQ(since(history, "a", 0, kStart + 61'000), std::nullopt);
  EXPECT_THAT(since(history, "a", 1, kStart + 61'000), Optional(ElementsAre(2)));
  EXPECT_THAT(since(history, "a", 2, kStart + 999'000), Optional(IsEmpty()));
  EXPECT_EQ(since(history, "a", 1, kStart + 999'000), std::nullopt);
}

TEST(History, OldMessagesOfSilentGroupsAreFreedByOtherGroups) {
  Server::History minute = limits();
  minute.ageMax = 60s;
  History history(minute);
  for (std::uint64_t offset = 1; offset <= 50; ++offset) {
    append(history, "old " + std::to_string(offset), offset, kStart);
  }
  const std::size_t before = history.bytes();
  append(history, "new", 51, kStart + 61'000);
  EXPECT_LT(history.bytes(), before / 20);
  EXPECT_EQ(since(history, "old 7", 6, kStart + 61'000), std::nullopt);
  EXPECT_THAT(since(history, "old 7", 7, kStart + 61'000), Optional(IsEmpty()))
      << "no message since";
}

TEST(History, TotalLimitRemovesTheLeastRecentGroupsFirst) {
  Server::History little = limits();
  little.totalBytesMax = 10'000;
  History history(little);
  append(history, "first", 1, kStart, std::string(900, '.'));
  append(history, "second", 2, kStart, std::string(900, '.'));
  append(history, "first", 3, kStart, std::string(900, '.'));
  for (std::uint64_t offset = 4; offset <= 11; ++offset) {
    append(history, "third", offset, kStart, std::string(900, '.'));
    EXPECT_LE(history.bytes(), 10'000u);
  }
  EXPECT_EQ(since(history, "second", 1), std::nullopt);
  EXPECT_THAT(since(history, "first", 0), Optional(ElementsAre(1, 3)));
  append(history, "third", 12, kStart, std::string(9'800, '.'));
  EXPECT_LE(history.bytes(), 10'000u);
  EXPECT_THAT(since(history, "third", 11), Optional(ElementsAre(12)));
}

TEST(History, RemovedGroupsReportAPossibleGap) {
  Server::History none = limits();
  none.messagesMax = 0;
  History history(none);
  constexpr std::uint64_t kMany = 100'010;
  for (std::uint64_t offset = 1; offset <= kMany; ++offset) {
    append(history, std::to_string(offset), offset);
  }
  EXPECT_EQ(since(history, "3", 3), std::nullopt) << "a message since then may have been removed";
  EXPECT_THAT(since(history, "3", 10), Optional(IsEmpty()));
  EXPECT_THAT(since(history, "50", 50), Optional(IsEmpty()));
  append(history, "3", kMany + 1);
  EXPECT_EQ(since(history, "3", 3), std::nullopt);
}

TEST(History, ClearedHistoryHasAGapBeforeLaterMessages) {
  History history(limits());
  append(history, "a", 1);
  history.clear();
  EXPECT_EQ(history.bytes(), 0u);
  EXPECT_EQ(since(history, "a", 0), std::nullopt);
  append(history, "a", 2);
  EXPECT_THAT(since(history, "a", 1), Optional(ElementsAre(2)));
}

TEST(History, UsersAndEverybodyHaveOneIfAnyGroupMayHaveOne) {
  const std::string user = Audience::user("ada").channelName();
  History some(limits({"chat.*"})), none(limits({}));
  append(some, user, 5);
  append(none, user, 5);
  EXPECT_THAT(since(some, user, 4), Optional(ElementsAre(5)));
  EXPECT_EQ(since(none, user, 4), std::nullopt);
}

}  // namespace
}  // namespace stormo::channel
