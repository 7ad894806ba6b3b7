#include "base/byte_queue.h"

#include <gtest/gtest.h>

#include <random>

namespace stormo {
namespace {

TEST(ByteQueue, ReturnsTheAppendedBytesThatWereNotRemoved) {
  ByteQueue queue;
  std::string model;
  std::mt19937 random(1);
  for (int i = 0; i < 5'000; ++i) {
    if (random() % 2 == 0) {
      const std::string piece(random() % 50, static_cast<char>('a' + i % 26));
      if (i % 3 == 0) {
        piece.copy(queue.extend(piece.size()), piece.size());
      } else {
        queue.append(piece);
      }
      model += piece;
    } else {
      const std::size_t removed = random() % (model.size() + 1);
      queue.removePrefix(removed);
      model.erase(0, removed);
    }
    ASSERT_EQ(queue.all(), model);
    ASSERT_EQ(queue.size(), model.size());
    ASSERT_EQ(queue.empty(), model.empty());
  }
}

TEST(ByteQueue, KeepsItsMemoryUntilItIsCleared) {
  ByteQueue queue;
  queue.append(std::string(10'000, 'x'));
  queue.removePrefix(10'000);
  EXPECT_GE(queue.capacity(), 10'000u);
  queue.clear();
  EXPECT_LT(queue.capacity(), 10'000u);
}

}  // namespace
}  // namespace stormo
