#include "protocol/text/utf8.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace stormo {
namespace {

std::string encode(std::uint32_t codePoint) {
  const auto tail = [&](unsigned shift) {
    return static_cast<char>(0x80 | (codePoint >> shift & 0x3f));
  };
  if (codePoint < 0x80) return {static_cast<char>(codePoint)};
  if (codePoint < 0x800) return {static_cast<char>(0xc0 | codePoint >> 6), tail(0)};
  if (codePoint < 0x10000) return {static_cast<char>(0xe0 | codePoint >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xf0 | codePoint >> 18), tail(12), tail(6), tail(0)};
}

bool isSurrogate(std::uint32_t codePoint) { return codePoint >= 0xd800 && codePoint < 0xe000; }

/// The bytes of a short text as one number.
std::uint32_t pack(std::string_view text) {
  std::uint32_t packed = 0;
  for (const char c : text) packed = packed << 8 | static_cast<std::uint8_t>(c);
  return packed;
}

TEST(Utf8Validator, FailsAtTheFirstByteThatCannotContinue) {
  // The expected verdicts, from every character: all encodings and all their starts.
  std::vector<std::uint32_t>
      characters;  // sorted, as the encodings keep the order of the code points
  std::set<std::string> beginnings = {""};
  for (std::uint32_t codePoint = 0; codePoint <= 0x10ffff; ++codePoint) {
    if (isSurrogate(codePoint)) continue;
    const std::string encoded = encode(codePoint);
    characters.push_back(pack(encoded));
    if (codePoint % 64 != 0) continue;  // the others of a run of 64 differ in the last byte only
    for (std::size_t n = 1; n < encoded.size(); ++n) beginnings.insert(encoded.substr(0, n));
  }
  ASSERT_TRUE(std::is_sorted(characters.begin(), characters.end()));

  for (const std::string& beginning : beginnings) {
    Utf8Validator begun;
    ASSERT_TRUE(begun.feed(beginning));
    ASSERT_EQ(begun.complete(), beginning.empty());
    for (int next = 0; next < 256; ++next) {
      const std::string text = beginning + static_cast<char>(next);
      const bool complete = std::binary_search(characters.begin(), characters.end(), pack(text));
      const bool viable = complete || beginnings.contains(text);
      Utf8Validator validator = begun;
      ASSERT_EQ(validator.feed({text.data() + beginning.size(), 1}), viable) << pack(text);
      ASSERT_EQ(validator.complete(), complete) << pack(text);
      Utf8Validator atOnce;
      ASSERT_EQ(atOnce.feed(text), viable) << pack(text);
      ASSERT_EQ(isUtf8(text), complete) << pack(text);
    }
  }
}

TEST(Utf8Validator, StaysFalseUntilReset) {
  for (const char* bad : {"\xff", "\xc0", "\xed\xa0", "\xe2("}) {
    Utf8Validator validator;
    EXPECT_FALSE(validator.feed(bad));
    EXPECT_FALSE(validator.feed("a"));
    EXPECT_FALSE(validator.feed(""));
    EXPECT_FALSE(validator.feed("\xbf"));
    EXPECT_FALSE(validator.complete());
    validator.reset();
    EXPECT_TRUE(validator.feed("a"));
    EXPECT_TRUE(validator.complete());
  }
}

TEST(Utf8Validator, AgreesWithTheWholeWhereverALongTextIsCut) {
  std::mt19937 random(3629);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    while (text.size() < 300) {
      auto codePoint = static_cast<std::uint32_t>(random() % (random() % 2 == 0 ? 0x80 : 0x110000));
      if (isSurrogate(codePoint)) codePoint = 'x';
      text += encode(codePoint);
    }
    if (round % 2 == 0) text[random() % text.size()] = static_cast<char>(random());
    const bool valid = isUtf8(text);
    ASSERT_TRUE(valid || round % 2 == 0);

    const std::size_t first = random() % text.size();
    const std::size_t second = first + random() % (text.size() - first);
    Utf8Validator validator;
    const bool fed = validator.feed(std::string_view(text).substr(0, first)) &&
                     validator.feed(std::string_view(text).substr(first, second - first)) &&
                     validator.feed(std::string_view(text).substr(second));
    ASSERT_EQ(fed && validator.complete(), valid) << round;
  }
}

TEST(Utf8Validator, FailsInALongPieceThatEndsInsideABadSequence) {
  for (const std::size_t length : {0u, 10u, 61u, 64u, 65u, 1000u}) {
    const std::string start(length, 'a');
    EXPECT_FALSE(Utf8Validator().feed(start + "\xed\xa0"));      // a surrogate
    EXPECT_FALSE(Utf8Validator().feed(start + "\xf4\x90\x80"));  // above U+10FFFF
    EXPECT_FALSE(Utf8Validator().feed(start + "\xe0\x9f"));      // overlong
    EXPECT_FALSE(Utf8Validator().feed(start + "\xf8"));
    EXPECT_FALSE(Utf8Validator().feed(start + "\x80\x80\x80\x80"));
    EXPECT_FALSE(Utf8Validator().feed("\xff" + start + "\xe2\x82"));
    EXPECT_TRUE(Utf8Validator().feed(start + "\xf0\x9f\x8c"));
  }
}

TEST(IsUtf8, FindsOneBadByteAnywhere) {
  for (std::size_t length = 1; length <= 140; ++length) {
    const std::string good(length, 'a');
    ASSERT_TRUE(isUtf8(good));
    for (std::size_t at = 0; at < length; ++at) {
      std::string bad = good;
      bad[at] = '\x80';
      ASSERT_FALSE(isUtf8(bad)) << length << ' ' << at;
    }
  }
  EXPECT_TRUE(isUtf8(""));
  EXPECT_TRUE(isUtf8({}));
}

TEST(Utf8, ALeadByteDeterminesTheLengthOfItsSequence) {
  for (int lead = 0; lead < 256; ++lead) {
    const std::size_t expected = lead < 0xc2   ? 1
                                 : lead < 0xe0 ? 2
                                 : lead < 0xf0 ? 3
                                 : lead < 0xf5 ? 4
                                               : 1;
    EXPECT_EQ(sequenceBytes(static_cast<std::uint8_t>(lead)), expected) << lead;
  }
}

TEST(Utf8, IsCutBetweenCharactersAtAnyByte) {
  const std::string text = "aè日🐦";  // ends at 1, 3, 6 and 10 bytes
  const std::size_t ends[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
  for (std::size_t n = 0; n < std::size(ends); ++n) {
    EXPECT_EQ(cutBetweenCharacters(text, n), text.substr(0, ends[n])) << n;
  }
  EXPECT_EQ(cutBetweenCharacters("\x80\x80\x80", 2), "") << "bytes that continue nothing";
}

}  // namespace
}  // namespace stormo
