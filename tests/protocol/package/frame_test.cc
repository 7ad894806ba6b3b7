#include "protocol/package/frame.h"

#include <gtest/gtest.h>

namespace stormo {
namespace {

using std::string_literals::operator""s;

TEST(Frame, CutAtAnyByteNeedsMoreAndStatesTheLengthOnceKnown) {
  std::string frame;
  appendFrame("hello", frame);
  ASSERT_EQ(frame, "\0\0\0\x09hello"s);
  for (std::size_t n = 0; n < frame.size(); ++n) {
    EXPECT_EQ(frameLength(std::string_view(frame).substr(0, n), 100),
              PackageLength::needMore(n < 4 ? 0 : 9))
        << n;
  }
  EXPECT_EQ(frameLength(frame, 100), PackageLength::complete(9));
  EXPECT_EQ(frameLength(frame + "next", 100), PackageLength::complete(9));
  EXPECT_EQ(framePayload(frame), "hello");
}

TEST(Frame, AnEmptyPayloadIsAFrameOfFourBytes) {
  std::string frame;
  appendFrame("", frame);
  EXPECT_EQ(frame, "\0\0\0\x04"s);
  EXPECT_EQ(frameLength(frame, 4), PackageLength::complete(4));
  EXPECT_EQ(framePayload(frame), "");
}

TEST(Frame, ALengthShorterThanItselfIsInvalidAtOnce) {
  for (const char length : {'\0', '\1', '\2', '\3'}) {
    EXPECT_EQ(frameLength("\0\0\0"s + length, 100), PackageLength::invalid()) << int{length};
  }
}

TEST(Frame, ALengthAboveTheLimitIsInvalidFromItsFourBytes) {
  EXPECT_EQ(frameLength("\0\0\0\x64"s, 100), PackageLength::needMore(100));
  EXPECT_EQ(frameLength("\0\0\0\x65"s, 100), PackageLength::invalid());
  EXPECT_EQ(frameLength("\xff\xff\xff\xff"s, 0xffff'fffe), PackageLength::invalid());
  EXPECT_EQ(frameLength("\xff\xff\xff\xff"s, 0xffff'ffff), PackageLength::needMore(0xffff'ffff));
}

TEST(Frame, TheHeaderCountsItself) {
  char header[kFrameHeaderBytes];
  encodeFrameHeader(0x01020304 - 4, header);
  EXPECT_EQ(std::string_view(header, sizeof header), "\x01\x02\x03\x04");
  encodeFrameHeader(kFramePayloadBytesMax, header);
  EXPECT_EQ(std::string_view(header, sizeof header), "\xff\xff\xff\xff");
}

TEST(FrameDeathTest, APayloadThatNoFrameCanHoldIsABugOfTheCaller) {
  char header[kFrameHeaderBytes];
  EXPECT_DEATH(encodeFrameHeader(kFramePayloadBytesMax + 1, header), "assertion failed");
}

}  // namespace
}  // namespace stormo
