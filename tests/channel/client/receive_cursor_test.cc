#include "channel/client/receive_cursor.h"

#include <gtest/gtest.h>

namespace stormo::channel {
namespace {

constexpr std::uint64_t kAnna = 11;
constexpr std::uint64_t kBruno = 22;
using Verdict = ReceiveCursor::Verdict;

TEST(ReceiveCursor, WithinAnEpochAnEventIsTakenOnceByItsOffset) {
  ReceiveCursor inbox;
  EXPECT_FALSE(inbox.begin(5));
  EXPECT_EQ(inbox.take(1, kAnna, 1), Verdict::New);
  EXPECT_EQ(inbox.take(3, kAnna, 2), Verdict::New);
  EXPECT_EQ(inbox.take(3, kAnna, 2), Verdict::Known);
  EXPECT_TRUE(inbox.begin(5)) << "the same server, on a new link";
  EXPECT_EQ(inbox.offset(), 3u);
  EXPECT_EQ(inbox.take(1, kAnna, 1), Verdict::Known);
  EXPECT_EQ(inbox.take(4, kAnna, 3), Verdict::New);
}

TEST(ReceiveCursor, OnePublishMayBeSeveralEvents) {
  ReceiveCursor inbox;
  inbox.begin(5);
  EXPECT_EQ(inbox.take(1, kAnna, 1), Verdict::New);
  EXPECT_EQ(inbox.take(2, kAnna, 1), Verdict::New);
}

TEST(ReceiveCursor, WhatIsSaidAgainToANewServerIsKnownBySequence) {
  ReceiveCursor inbox;
  inbox.begin(5);
  EXPECT_EQ(inbox.take(70, kAnna, 7), Verdict::New);
  EXPECT_EQ(inbox.take(71, kBruno, 1), Verdict::New);
  EXPECT_TRUE(inbox.begin(6));
  EXPECT_EQ(inbox.offset(), 0u) << "whatever the new server has may be missing";
  EXPECT_EQ(inbox.take(1, kAnna, 6), Verdict::Repeat);
  EXPECT_EQ(inbox.take(2, kAnna, 7), Verdict::Repeat);
  EXPECT_EQ(inbox.take(3, kAnna, 8), Verdict::New);
  EXPECT_EQ(inbox.take(4, kBruno, 1), Verdict::Repeat);
  EXPECT_EQ(inbox.take(5, kBruno, 2), Verdict::New);
}

TEST(ReceiveCursor, RemembersThatOverSeveralServersWithoutNews) {
  ReceiveCursor inbox;
  inbox.begin(5);
  EXPECT_EQ(inbox.take(1, kAnna, 7), Verdict::New);
  inbox.begin(6);
  inbox.begin(7);
  EXPECT_EQ(inbox.take(1, kAnna, 7), Verdict::Repeat);
  EXPECT_EQ(inbox.take(2, kAnna, 8), Verdict::New);
}

TEST(ReceiveCursor, PublishersThatNumberNothingAreBelieved) {
  ReceiveCursor inbox;
  inbox.begin(5);
  EXPECT_EQ(inbox.take(1, 0, 0), Verdict::New);
  inbox.begin(6);
  EXPECT_EQ(inbox.take(1, 0, 0), Verdict::New);
}

TEST(ReceiveCursor, AGapMovesItOn) {
  ReceiveCursor inbox;
  inbox.begin(5);
  inbox.skipTo(10);
  EXPECT_EQ(inbox.take(10, kAnna, 1), Verdict::Known);
  EXPECT_EQ(inbox.take(11, kAnna, 2), Verdict::New);
  inbox.skipTo(3);
  EXPECT_EQ(inbox.offset(), 11u);
}

}  // namespace
}  // namespace stormo::channel
