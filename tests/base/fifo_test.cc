#include "base/fifo.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>

namespace stormo {
namespace {

TEST(Fifo, PopsInTheOrderOfPushes) {
  Fifo<int> fifo;
  std::deque<int> model;
  std::mt19937 random(1);
  for (int i = 0; i < 10'000; ++i) {
    // Alternates between growing and shrinking, so that items are moved to the front.
    if (model.empty() || random() % 100 < (i / 1000 % 2 == 0 ? 60u : 40u)) {
      fifo.push(i);
      model.push_back(i);
    } else {
      ASSERT_EQ(fifo.front(), model.front());
      fifo.pop();
      model.pop_front();
    }
    ASSERT_EQ(fifo.size(), model.size());
    ASSERT_EQ(fifo.empty(), model.empty());
  }
}

TEST(Fifo, ReleasesPoppedItemsWhenEmpty) {
  Fifo<std::shared_ptr<int>> fifo;
  const auto item = std::make_shared<int>(1);
  for (int i = 0; i < 5; ++i) fifo.push(item);
  for (int i = 0; i < 5; ++i) fifo.pop();
  EXPECT_EQ(item.use_count(), 1);
}

}  // namespace
}  // namespace stormo
