#include "channel/server/shared_queue.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace stormo::channel {
namespace {

class SharedQueueTest : public testing::Test {
 protected:
  ~SharedQueueTest() override { queue.clear(pool); }
  void append(std::string_view bytes) {
    bytes.copy(queue.extend(bytes.size(), pool), bytes.size());
  }

  SharedPool pool;
  SharedQueue queue;
};

TEST_F(SharedQueueTest, IsAQueueOfBytes) {
  std::mt19937 random(1);
  std::string expected;
  for (int i = 0; i < 20'000; ++i) {
    const std::string bytes(random() % 300, static_cast<char>('a' + i % 26));
    append(bytes);
    expected += bytes;
    const std::size_t removed = random() % (expected.size() + 1) % 400;
    queue.removePrefix(removed);
    expected.erase(0, removed);
    if (i % 100 == 0) {
      ASSERT_EQ(queue.all(), expected);
    }
    if (i % 5000 == 4999) {
      queue.clear(pool);
      expected.clear();
    }
  }
  EXPECT_EQ(queue.all(), expected);
}

TEST_F(SharedQueueTest, IsLongerThanAChunkOfThePool) {
  const std::string large(3 << 20, 'x');
  append("before");
  append(large);
  EXPECT_EQ(queue.all(), "before" + large);
}

// What a forked child sees: a copy of the object, and the same memory.
TEST_F(SharedQueueTest, ACopyStaysAsItIsWhileThePoolIsHeld) {
  append(std::string(1000, 'a'));
  queue.removePrefix(900);
  pool.hold();
  const SharedQueue copy = queue;
  const std::string before(copy.all());
  for (int i = 0; i < 1000; ++i) {
    append(std::string(200, 'b'));
    queue.removePrefix(queue.size() - 50);
    ASSERT_EQ(copy.all(), before);
  }
  queue.clear(pool);
  append(std::string(2000, 'c'));
  EXPECT_EQ(copy.all(), before);
  pool.release();
  EXPECT_EQ(queue.all(), std::string(2000, 'c'));
}

TEST_F(SharedQueueTest, MemoryIsUsedAgain) {
  append(std::string(100'000, 'x'));
  const char* const first = queue.all().data();
  queue.clear(pool);
  append(std::string(100'000, 'y'));
  EXPECT_EQ(queue.all().data(), first);
  pool.hold();
  queue.clear(pool);
  append(std::string(100'000, 'z'));
  EXPECT_NE(queue.all().data(), first);
  pool.release();
}

}  // namespace
}  // namespace stormo::channel
