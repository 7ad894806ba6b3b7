#include "channel/server/session_table.h"

#include <gtest/gtest.h>

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{};

TEST(SessionTable, DuplicateSendIsRecognised) {
  SessionTable sessions;
  EXPECT_TRUE(sessions.take({7, 1}, kStart));
  EXPECT_TRUE(sessions.take({7, 5}, kStart));
  EXPECT_FALSE(sessions.take({7, 5}, kStart));
  EXPECT_FALSE(sessions.take({7, 2}, kStart));
  EXPECT_TRUE(sessions.take({8, 2}, kStart)) << "another session";
  EXPECT_TRUE(sessions.take({7, 6}, kStart));
}

TEST(SessionTable, SessionsAreKeptForAnHour) {
  SessionTable sessions;
  for (std::uint64_t sequence = 1; sequence <= 10; ++sequence) {
    EXPECT_TRUE(sessions.take({7, sequence}, kStart + sequence * 59min));
    EXPECT_FALSE(sessions.take({7, sequence}, kStart + (sequence + 1) * 59min));
  }
  EXPECT_TRUE(sessions.take({8, 1}, kStart + 24h));
  EXPECT_TRUE(sessions.take({8, 2}, kStart + 26h));
  EXPECT_TRUE(sessions.take({7, 1}, kStart + 26h)) << "a day after its last send";
}

TEST(SessionTable, NumberOfSessionsIsLimited) {
  SessionTable sessions;
  EXPECT_TRUE(sessions.take({1, 1}, kStart));
  for (std::uint64_t id = 2; id <= SessionTable::kSessionsMax; ++id) {
    ASSERT_TRUE(sessions.take({id, 1}, kStart));
  }
  EXPECT_FALSE(sessions.take({1, 1}, kStart));
  for (std::uint64_t id = 2; id <= 2 * SessionTable::kSessionsMax; ++id) {
    (void)sessions.take({id + SessionTable::kSessionsMax, 1}, kStart);
  }
  EXPECT_TRUE(sessions.take({1, 1}, kStart));
}

}  // namespace
}  // namespace stormo::channel
