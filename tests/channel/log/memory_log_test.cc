#include "channel/log/memory_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channel/log/log_fixture.h"

namespace stormo::channel {
namespace {

TEST(MemoryLog, AppliesRecordsWithinAppend) {
  MemoryLog log;
  test::ListState state;
  bool isOpen = false;
  ASSERT_TRUE(log.open(state, [&] { isOpen = true; }).ok());
  EXPECT_TRUE(isOpen);
  EXPECT_NE(state.epoch, 0u);
  log.append(test::recordOf("a") + test::recordOf("b"), 2);
  log.append(test::recordOf("c"), 1);
  EXPECT_THAT(state.packets, testing::ElementsAre("a", "b", "c"));
  EXPECT_EQ(log.appliedCount(), 3u);
  bool isFinished = false;
  log.finish([&] { isFinished = true; });
  EXPECT_TRUE(isFinished);
}

}  // namespace
}  // namespace stormo::channel
