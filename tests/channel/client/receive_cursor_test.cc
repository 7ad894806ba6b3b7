#include "channel/client/receive_cursor.h"

#include <gtest/gtest.h>

namespace stormo::channel {
namespace {

constexpr std::uint64_t kAnna = 11;
constexpr std::uint64_t kBruno = 22;
using Verdict = ReceiveCursor::Verdict;

TEST(ReceiveCursor, DuplicateOffsetWithinAnEpochIsDropped) {
  ReceiveCursor cursor;
  EXPECT_FALSE(cursor.begin(5));
  EXPECT_EQ(cursor.take(1, kAnna, 1), Verdict::New);
  EXPECT_EQ(cursor.take(3, kAnna, 2), Verdict::New);
  EXPECT_EQ(cursor.take(3, kAnna, 2), Verdict::Known);
  EXPECT_TRUE(cursor.begin(5)) << "the same server, on a new link";
  EXPECT_EQ(cursor.offset(), 3u);
  EXPECT_EQ(cursor.take(1, kAnna, 1), Verdict::Known);
  EXPECT_EQ(cursor.take(4, kAnna, 3), Verdict::New);
}

TEST(ReceiveCursor, OnePublishMayCauseSeveralEvents) {
  ReceiveCursor cursor;
  cursor.begin(5);
  EXPECT_EQ(cursor.take(1, kAnna, 1), Verdict::New);
  EXPECT_EQ(cursor.take(2, kAnna, 1), Verdict::New);
}

TEST(ReceiveCursor, ResendToANewServerIsRecognisedBySequence) {
  ReceiveCursor cursor;
  cursor.begin(5);
  EXPECT_EQ(cursor.take(70, kAnna, 7), Verdict::New);
  EXPECT_EQ(cursor.take(71, kBruno, 1), Verdict::New);
  EXPECT_TRUE(cursor.begin(6));
  EXPECT_EQ(cursor.offset(), 0u) << "whatever the new server has may be missing";
  EXPECT_EQ(cursor.take(1, kAnna, 6), Verdict::Duplicate);
  EXPECT_EQ(cursor.take(2, kAnna, 7), Verdict::Duplicate);
  EXPECT_EQ(cursor.take(3, kAnna, 8), Verdict::New);
  EXPECT_EQ(cursor.take(4, kBruno, 1), Verdict::Duplicate);
  EXPECT_EQ(cursor.take(5, kBruno, 2), Verdict::New);
}

TEST(ReceiveCursor, SequencesAreKeptOverSeveralEpochs) {
  ReceiveCursor cursor;
  cursor.begin(5);
  EXPECT_EQ(cursor.take(1, kAnna, 7), Verdict::New);
  cursor.begin(6);
  cursor.begin(7);
  EXPECT_EQ(cursor.take(1, kAnna, 7), Verdict::Duplicate);
  EXPECT_EQ(cursor.take(2, kAnna, 8), Verdict::New);
}

TEST(ReceiveCursor, UnnumberedPublishesAreNotDeduplicated) {
  ReceiveCursor cursor;
  cursor.begin(5);
  EXPECT_EQ(cursor.take(1, 0, 0), Verdict::New);
  cursor.begin(6);
  EXPECT_EQ(cursor.take(1, 0, 0), Verdict::New);
}

TEST(ReceiveCursor, GapMovesThePosition) {
  ReceiveCursor cursor;
  cursor.begin(5);
  cursor.skipTo(10);
  EXPECT_EQ(cursor.take(10, kAnna, 1), Verdict::Known);
  EXPECT_EQ(cursor.take(11, kAnna, 2), Verdict::New);
  cursor.skipTo(3);
  EXPECT_EQ(cursor.offset(), 11u);
}

}  // namespace
}  // namespace stormo::channel
