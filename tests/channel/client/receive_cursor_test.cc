#include "channel/client/receive_cursor.h"

#include <gtest/gtest.h>

namespace stormo::channel {
namespace {

TEST(ReceiveCursor, DuplicateOffsetWithinAnEpochIsDropped) {
  ReceiveCursor cursor;
  EXPECT_TRUE(cursor.begin(5));
  EXPECT_TRUE(cursor.take(1, false));
  EXPECT_TRUE(cursor.take(3, false));
  EXPECT_FALSE(cursor.take(3, false));
  EXPECT_TRUE(cursor.begin(5)) << "the same epoch, on a new link";
  EXPECT_EQ(cursor.offset(), 3u);
  EXPECT_FALSE(cursor.take(1, false));
  EXPECT_TRUE(cursor.take(4, false));
}

TEST(ReceiveCursor, DerivedEventIsTakenOnceAfterTheFirstOneOfItsOffset) {
  ReceiveCursor cursor;
  cursor.begin(5);
  EXPECT_TRUE(cursor.take(1, false));
  EXPECT_TRUE(cursor.take(1, true));
  EXPECT_FALSE(cursor.take(1, false));
  EXPECT_FALSE(cursor.take(1, true));
  EXPECT_TRUE(cursor.take(2, true)) << "subscribed to the derived one only";
  EXPECT_FALSE(cursor.take(2, true));
}

TEST(ReceiveCursor, AnotherEpochIsAGapAndBeginsAnew) {
  ReceiveCursor cursor;
  cursor.begin(5);
  EXPECT_TRUE(cursor.take(70, false));
  EXPECT_FALSE(cursor.begin(6));
  EXPECT_EQ(cursor.epoch(), 6u);
  EXPECT_EQ(cursor.offset(), 0u);
  EXPECT_TRUE(cursor.take(1, false));
}

TEST(ReceiveCursor, SkipMovesThePositionForwardOnly) {
  ReceiveCursor cursor;
  cursor.begin(5);
  cursor.skipTo(10);
  EXPECT_FALSE(cursor.take(10, false));
  EXPECT_FALSE(cursor.take(10, true));
  EXPECT_TRUE(cursor.take(11, false));
  cursor.skipTo(3);
  EXPECT_EQ(cursor.offset(), 11u);
  cursor.moveTo(3);
  EXPECT_EQ(cursor.offset(), 3u);
  EXPECT_TRUE(cursor.take(4, false));
}

}  // namespace
}  // namespace stormo::channel
