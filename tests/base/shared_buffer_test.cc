#include "base/shared_buffer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stormo {
namespace {

void append(SharedBuffer& buffer, std::string_view bytes) {
  bytes.copy(buffer.extend(bytes.size()), bytes.size());
}

TEST(SharedBuffer, StartsEmptyAndAllocatesNothing) {
  const SharedBuffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.data(), nullptr);
  EXPECT_EQ(buffer.view(), "");
}

TEST(SharedBuffer, KeepsItsBytesWhileItGrowsOverManyBlocks) {
  SharedBuffer buffer;
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    const std::string piece = std::to_string(i) + ' ';
    append(buffer, piece);
    expected += piece;
  }
  EXPECT_EQ(buffer.view(), expected);
}

TEST(SharedBuffer, AppendsAPieceLargerThanAnyPooledBlock) {
  SharedBuffer buffer;
  append(buffer, "head");
  const std::string body(3 << 20, 'b');
  append(buffer, body);
  EXPECT_EQ(buffer.view(), "head" + body);
}

TEST(SharedBuffer, BytesLiveUntilTheLastHandleIsReset) {
  SharedBuffer writer;
  append(writer, "shared");
  SharedBuffer first = writer;
  const SharedBuffer second(first);
  EXPECT_EQ(first.data(), second.data());
  writer.reset();
  first = SharedBuffer();
  EXPECT_EQ(second.view(), "shared");
}

TEST(SharedBuffer, MovedFromHandleIsEmpty) {
  SharedBuffer from;
  append(from, "moved");
  SharedBuffer to = std::move(from);
  EXPECT_EQ(to.view(), "moved");
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): what a move leaves is defined here
  SharedBuffer& same = to;
  to = same;
  EXPECT_EQ(to.view(), "moved");
}

TEST(SharedBuffer, FreedBlocksAreUsedAgain) {
  const char* place = nullptr;
  {
    SharedBuffer buffer;
    append(buffer, std::string(1000, 'x'));
    place = buffer.data();
  }
  SharedBuffer next;
  append(next, std::string(900, 'y'));
  EXPECT_EQ(next.data(), place);
  EXPECT_EQ(next.size(), 900u);
}

TEST(SharedBuffer, BlocksAboveThePoolLimitAreFreed) {
  std::vector<SharedBuffer> many(40);
  for (SharedBuffer& buffer : many) append(buffer, std::string(1 << 20, 'm'));
  for (const SharedBuffer& buffer : many) EXPECT_EQ(buffer.size(), 1u << 20);
  many.clear();  // the address sanitizer reports a leak or a double free
}

TEST(SharedBufferDeathTest, ExtendingASharedBlockAborts) {
  SharedBuffer writer;
  append(writer, std::string(256, 'x'));
  const SharedBuffer reader = writer;
  EXPECT_DEATH(append(writer, "more"), "references == 1");
}

}  // namespace
}  // namespace stormo
