#include "net/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace stormo::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Handle kHeron{.index = 1, .generation = 1};
constexpr Handle kOwl{.index = 2, .generation = 1};

std::vector<std::string> piecesOf(const Batch& batch, Handle connection) {
  std::vector<Piece> pieces;
  collectPieces(batch, connection, pieces);
  std::vector<std::string> texts;
  for (const Piece& piece : pieces) {
    texts.emplace_back(piece.buffer->view().substr(piece.begin, piece.length));
  }
  return texts;
}

TEST(Batch, OutputWithoutInterruptionIsOneRun) {
  OutputOrder order;
  Batch batch;
  EXPECT_TRUE(batch.empty());
  batch.append("one ", order);
  batch.append("two", order);
  EXPECT_EQ(batch.runs().size(), 1u);
  EXPECT_EQ(batch.bytes().view(), "one two");
  EXPECT_THAT(piecesOf(batch, kHeron), ElementsAre("one two"));
}

TEST(Batch, OutputForAnotherDestinationBeginsANewRun) {
  OutputOrder order;
  Batch batch;
  Batch other;
  batch.append("a", order);
  other.append("b", order);
  batch.append("c", order);
  EXPECT_THAT(piecesOf(batch, kHeron), ElementsAre("a", "c"));
  EXPECT_LT(batch.runs()[0].order, other.runs()[0].order);
  EXPECT_LT(other.runs()[0].order, batch.runs()[1].order);
}

TEST(Batch, AnExclusionIsForOneConnectionOnly) {
  OutputOrder order;
  Batch batch;
  batch.append("before-", order);
  batch.append("hole-", order);
  batch.exclude(kHeron, 7, 12);
  batch.append("after", order);
  EXPECT_THAT(piecesOf(batch, kHeron), ElementsAre("before-", "after"));
  EXPECT_THAT(piecesOf(batch, kOwl), ElementsAre("before-hole-after"));
  batch.forgetExclusions(kHeron);
  EXPECT_THAT(piecesOf(batch, kHeron), ElementsAre("before-hole-after"));
}

TEST(Batch, AnExclusionMayCoverAllOrSpanSeveralRuns) {
  OutputOrder order;
  Batch batch;
  Batch other;
  for (const char* text : {"aa", "bb", "cc"}) {
    batch.append(text, order);
    other.append("-", order);
  }
  batch.exclude(kHeron, 1, 5);
  batch.exclude(kOwl, 0, 6);
  EXPECT_THAT(piecesOf(batch, kHeron), ElementsAre("a", "c"));
  EXPECT_THAT(piecesOf(batch, kOwl), IsEmpty());
}

TEST(Batch, AClearedBatchStartsAgain) {
  OutputOrder order;
  Batch batch;
  batch.append("old", order);
  batch.exclude(kHeron, 0, 3);
  batch.clear();
  order.last = nullptr;
  EXPECT_TRUE(batch.empty());
  batch.append("new", order);
  EXPECT_THAT(piecesOf(batch, kHeron), ElementsAre("new"));
}

TEST(Batch, PiecesEqualAByteWiseModel) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    OutputOrder order;
    Batch batch;
    Batch other;
    std::string expected;
    std::string all;
    for (int step = 0; step < 20; ++step) {
      const std::string text(random() % 4 + 1, static_cast<char>('a' + step));
      const std::size_t begin = batch.size();
      batch.append(text, order);
      all += text;
      const auto roll = random() % 4;
      if (roll == 0) batch.exclude(kHeron, begin, batch.size());
      if (roll != 0) expected += text;
      if (roll == 1) batch.exclude(kOwl, begin, batch.size());
      if (random() % 3 == 0) other.append("-", order);
    }
    std::string taken;
    for (const std::string& piece : piecesOf(batch, kHeron)) taken += piece;
    ASSERT_EQ(taken, expected) << "of " << all;
  }
}

}  // namespace
}  // namespace stormo::net
