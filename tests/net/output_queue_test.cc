#include "net/output_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace stormo::net {
namespace {

SharedBuffer bufferOf(std::string_view text) {
  SharedBuffer buffer;
  text.copy(buffer.extend(text.size()), text.size());
  return buffer;
}

std::string described(const OutputQueue& queue, std::size_t vectorsMax = 64) {
  std::vector<iovec> vectors(vectorsMax);
  const std::size_t count = queue.describe(vectors.data(), vectorsMax);
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text.append(static_cast<const char*>(vectors[i].iov_base), vectors[i].iov_len);
  }
  return text;
}

TEST(OutputQueue, HoldsRangesOfBuffersInOrder) {
  OutputQueue queue;
  EXPECT_TRUE(queue.empty());
  const SharedBuffer buffer = bufferOf("0123456789");
  queue.push(buffer, 2, 3);
  queue.push(bufferOf("abc"), 0, 3);
  queue.push(buffer, 9, 1);
  EXPECT_EQ(queue.bytes(), 7u);
  EXPECT_EQ(described(queue), "234abc9");
  queue.push(bufferOf(std::string(1000, 'x')), 0, 1000);
  EXPECT_EQ(described(queue, 1), "234abc9");
}

TEST(OutputQueue, ReferencesALongRangeAndDoesNotCopyIt) {
  OutputQueue queue;
  const SharedBuffer buffer = bufferOf(std::string(1000, 's'));
  queue.push(buffer, 0, 1000);
  iovec vector;
  ASSERT_EQ(queue.describe(&vector, 1), 1u);
  EXPECT_EQ(vector.iov_base, buffer.data());
}

TEST(OutputQueue, ShortRangesDoNotKeepLargeBuffersInMemory) {
  OutputQueue queue;
  const std::size_t before = SharedBuffer::heldBytes();
  for (int i = 0; i < 1000; ++i) {
    queue.push(bufferOf(std::string(60'000, 'x')), 10, 2);
    queue.push(bufferOf(std::string(60'000, 'x')), 10, 1000);
  }
  EXPECT_EQ(queue.bytes(), 1'002'000u);
  EXPECT_LE(SharedBuffer::heldBytes() - before, OutputQueue::kHeldPerByte * queue.bytes());
  EXPECT_EQ(described(queue, 4096), std::string(1'002'000, 'x'));
  queue.consume(1'002'000);
  EXPECT_EQ(SharedBuffer::heldBytes(), before);
}

TEST(OutputQueue, ManyEmptyMessagesHoldAboutTheirBytes) {
  OutputQueue queue;
  const std::size_t before = SharedBuffer::heldBytes();
  for (int i = 0; i < 100'000; ++i) queue.push(bufferOf("\x81"), 0, 1);
  std::vector<iovec> vectors(1000);
  EXPECT_LE(queue.describe(vectors.data(), vectors.size()), 3u);
  EXPECT_LE(SharedBuffer::heldBytes() - before, 2 * queue.bytes());
}

TEST(OutputQueue, DescribesAtMostTheRequestedBytes) {
  OutputQueue queue;
  for (const char text : {'a', 'b', 'c'}) queue.push(bufferOf(std::string(1000, text)), 0, 1000);
  iovec vectors[8];
  ASSERT_EQ(queue.describe(vectors, 8, 1500), 2u);
  EXPECT_EQ(vectors[0].iov_len, 1000u);
  EXPECT_EQ(vectors[1].iov_len, 500u);
}

TEST(OutputQueue, ConsumesAcrossRangesAndWithinThem) {
  OutputQueue queue;
  for (const char* text : {"abc", "def", "ghi"}) queue.push(bufferOf(text), 0, 3);
  queue.consume(1);
  EXPECT_EQ(described(queue), "bcdefghi");
  queue.consume(4);
  EXPECT_EQ(described(queue), "fghi");
  queue.consume(0);
  EXPECT_EQ(described(queue), "fghi");
  queue.consume(4);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(described(queue), "");
}

TEST(OutputQueue, AnEmptyRangeIsNotQueued) {
  OutputQueue queue;
  queue.push(bufferOf("x"), 1, 0);
  EXPECT_TRUE(queue.empty());
  iovec vector;
  EXPECT_EQ(queue.describe(&vector, 1), 0u);
}

TEST(OutputQueue, ClearReleasesTheBuffers) {
  OutputQueue queue;
  SharedBuffer buffer = bufferOf("x");
  queue.push(buffer, 0, 1);
  queue.clear();
  EXPECT_TRUE(queue.empty());
  buffer.extend(1 << 20);  // would be a bug if the queue still held it
}

TEST(OutputQueueDeathTest, ConsumingMoreThanItHoldsAborts) {
  OutputQueue queue;
  queue.push(bufferOf("abc"), 0, 3);
  EXPECT_DEATH(queue.consume(4), "taken <= bytes_");
}

TEST(OutputQueue, EqualsAStringOverRandomOperations) {
  OutputQueue queue;
  std::string model;
  std::mt19937 random(5);
  for (int step = 0; step < 20'000; ++step) {
    if (random() % 2 == 0) {
      const std::string text(random() % 20 + 1, static_cast<char>('a' + step % 26));
      const std::size_t begin = random() % text.size();
      queue.push(bufferOf(text), begin, text.size() - begin);
      model += text.substr(begin);
    } else {
      const std::size_t bytes = std::min<std::size_t>(model.size(), random() % 40);
      queue.consume(bytes);
      model.erase(0, bytes);
    }
    ASSERT_EQ(queue.bytes(), model.size());
    ASSERT_EQ(described(queue, 4), model.substr(0, described(queue, 4).size()));
  }
  EXPECT_EQ(described(queue, 1 << 20), model);
}

}  // namespace
}  // namespace stormo::net
