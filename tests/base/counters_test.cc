#include "base/counters.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>

namespace stormo {
namespace {

TEST(Counter, AddsSubtractsAndIsSet) {
  Counter counter;
  EXPECT_EQ(counter.get(), 0u);
  counter.add();
  counter.add(9);
  counter.subtract(3);
  EXPECT_EQ(counter.get(), 7u);
  counter.set(2);
  counter.subtract();
  EXPECT_EQ(counter.get(), 1u);
}

TEST(Counters, FiguresOfADeadProcessStayReadable) {
  void* page =
      ::mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  Counters* counters = new (page) Counters();
  const pid_t child = ::fork();
  if (child == 0) {
    counters->messagesIn.add(42);
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ(counters->messagesIn.get(), 42u);
  ::munmap(page, sizeof(Counters));
}

}  // namespace
}  // namespace stormo
