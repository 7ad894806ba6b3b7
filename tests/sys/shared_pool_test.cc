#include "sys/shared_pool.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <random>

#include "sys/unforked_memory.h"

namespace stormo {
namespace {

TEST(SharedPool, BlocksDoNotOverlap) {
  SharedPool pool;
  std::mt19937 random(1);
  std::map<char*, SharedPool::Block> taken;
  for (int i = 0; i < 5000; ++i) {
    if (!taken.empty() && random() % 3 == 0) {
      pool.give(taken.begin()->second);
      taken.erase(taken.begin());
      continue;
    }
    const std::size_t bytes = 1 + random() % (random() % 50 == 0 ? 3'000'000 : 5000);
    const SharedPool::Block block = pool.take(bytes);
    ASSERT_GE(block.bytes, bytes);
    block.begin[0] = block.begin[block.bytes - 1] = 'x';
    const auto next = taken.lower_bound(block.begin);
    if (next != taken.end()) {
      ASSERT_GE(next->first, block.begin + block.bytes);
    }
    if (next != taken.begin()) {
      const SharedPool::Block& before = std::prev(next)->second;
      ASSERT_LE(before.begin + before.bytes, block.begin);
    }
    taken[block.begin] = block;
  }
}

TEST(SharedPool, ABlockIsUsedAgain) {
  SharedPool pool;
  const SharedPool::Block first = pool.take(1000);
  pool.give(first);
  EXPECT_EQ(pool.take(900).begin, first.begin);
}

TEST(SharedPool, ABlockGivenBackWhileHeldIsUsedAgainAfterwards) {
  SharedPool pool;
  const SharedPool::Block first = pool.take(1000);
  pool.hold();
  pool.give(first);
  EXPECT_NE(pool.take(1000).begin, first.begin);
  pool.release();
  EXPECT_EQ(pool.take(1000).begin, first.begin);
}

/// Runs `work` in a forked child. Returns how it ended, as of waitpid().
template <typename Work>
int inChild(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

TEST(SharedPool, IsSharedWithAForkedChild) {
  SharedPool pool;
  const SharedPool::Block block = pool.take(10);
  std::strcpy(block.begin, "parent");
  const int status = inChild([&] { std::strcpy(block.begin, "child"); });
  EXPECT_EQ(status, 0);
  EXPECT_STREQ(block.begin, "child");
}

TEST(UnforkedMemory, IsNotThereInAForkedChild) {
  const UnforkedMemory memory(5000);
  EXPECT_GE(memory.bytes(), 5000u);
  memory.data()[4999] = 'x';
  // A system call fails instead of ending the child by a signal.
  const int status = inChild([&] {
    int ends[2];
    if (::pipe(ends) != 0) ::_exit(2);
    ::_exit(::write(ends[1], memory.data(), 1) == 1 ? 3 : 0);
  });
  EXPECT_EQ(status, 0);
}

TEST(UnforkedMemory, EmptyHasNoBytes) {
  const UnforkedMemory memory;
  EXPECT_EQ(memory.bytes(), 0u);
  EXPECT_EQ(memory.data(), nullptr);
}

}  // namespace
}  // namespace stormo
