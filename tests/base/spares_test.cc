#include "base/spares.h"

#include <gtest/gtest.h>

#include "base/shared_buffer.h"

namespace stormo {
namespace {

TEST(Spares, TakeReturnsAReusedObject) {
  Spares<int> spares;
  auto one = spares.take();
  const int* const place = one.get();
  spares.give(std::move(one));
  EXPECT_EQ(spares.take().get(), place);
}

TEST(Spares, TrimFreesObjectsUnusedSinceTheLastTrim) {
  Spares<int> spares;
  for (int i = 0; i < 10; ++i) spares.give(std::make_unique<int>(i));
  EXPECT_EQ(spares.trim(), 0u);  // they are new
  auto one = spares.take();
  auto two = spares.take();
  spares.give(std::move(one));
  spares.give(std::move(two));
  EXPECT_EQ(spares.trim(), 8u);
  EXPECT_EQ(spares.size(), 2u);
  EXPECT_EQ(spares.trim(), 2u);
  EXPECT_EQ(spares.trim(), 0u);
}

TEST(Spares, KeepsABoundedNumber) {
  Spares<char> spares;
  for (std::size_t i = 0; i < Spares<char>::kCountMax + 10; ++i) {
    spares.give(std::make_unique<char>());
  }
  EXPECT_EQ(spares.size(), Spares<char>::kCountMax);
}

TEST(SharedBufferPool, TrimFreesBlocksUnusedSinceTheLastTrim) {
  SharedBuffer::trimSpares();
  SharedBuffer::trimSpares();
  ASSERT_EQ(SharedBuffer::spareBytes(), 0u);
  {
    SharedBuffer buffers[4];
    for (SharedBuffer& buffer : buffers) buffer.extend(4096);
    EXPECT_EQ(SharedBuffer::heldBytes(), 4u * 4096);
  }
  EXPECT_EQ(SharedBuffer::heldBytes(), 0u);
  EXPECT_EQ(SharedBuffer::spareBytes(), 4u * 4096);
  EXPECT_EQ(SharedBuffer::trimSpares(), 0u);
  { SharedBuffer().extend(4096); }
  EXPECT_EQ(SharedBuffer::trimSpares(), 3u * 4096);
  EXPECT_EQ(SharedBuffer::trimSpares(), 4096u);
  EXPECT_EQ(SharedBuffer::spareBytes(), 0u);
}

}  // namespace
}  // namespace stormo
