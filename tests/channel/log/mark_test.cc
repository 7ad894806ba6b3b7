#include "channel/log/mark.h"

#include <gtest/gtest.h>

#include "channel/log/simulated_log_directory.h"

namespace stormo::channel {
namespace {

const MarkContent kContent = {.epoch = 0x65f0,
                              .identity = {.inode = 12, .bornNs = 34},
                              .boot = {1, 2, 3},
                              .policy = SyncPolicy::Always,
                              .offset = 42,
                              .clean = true};

TEST(LogMark, ReadsBack) {
  const auto read = readMark(encodeMark(kContent));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->epoch, kContent.epoch);
  EXPECT_EQ(read->identity, kContent.identity);
  EXPECT_EQ(read->boot, kContent.boot);
  EXPECT_EQ(read->policy, kContent.policy);
  EXPECT_EQ(read->offset, kContent.offset);
  EXPECT_TRUE(read->clean);
}

TEST(LogMark, AChangeOfItsConstantPartOrLengthIsRefused) {
  const std::string bytes = encodeMark(kContent);
  for (std::size_t n = 0; n < 68; ++n) {
    std::string changed = bytes;
    changed[n] = static_cast<char>(changed[n] ^ 1);
    EXPECT_FALSE(readMark(changed)) << n;
  }
  for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(readMark(bytes.substr(0, n))) << n;
}

TEST(LogMark, StoresAreInTheFileAtOnce) {
  test::SimulatedLogDirectory directory;
  auto mark = Mark::create(directory, {.epoch = 5, .offset = 6});
  ASSERT_TRUE(mark.ok());
  const std::uint64_t steps = directory.steps();
  mark->setOffset(0x0102030405060708);
  auto read = readMark(directory.content(kMarkName));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->offset, 0x0102030405060708u);
  EXPECT_FALSE(read->clean);
  mark->setClean();
  read = readMark(directory.content(kMarkName));
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->clean);
  EXPECT_EQ(directory.steps(), steps);
}

TEST(LogMark, KnowsItsOwnFile) {
  test::SimulatedLogDirectory directory;
  ASSERT_TRUE(Mark::create(directory, {.epoch = 5}).ok());
  const auto identity = directory.open(kMarkName).value()->identity();
  EXPECT_EQ(readMark(directory.content(kMarkName))->identity, identity.value());
}

}  // namespace
}  // namespace stormo::channel
