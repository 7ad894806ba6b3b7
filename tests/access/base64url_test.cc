#include "access/base64url.h"

#include <gtest/gtest.h>

namespace stormo::access {
namespace {

TEST(Base64url, EncodesWithoutPadding) {
  // RFC 4648 10, and RFC 7515 C.
  EXPECT_EQ(encodeBase64url(""), "");
  EXPECT_EQ(encodeBase64url("f"), "Zg");
  EXPECT_EQ(encodeBase64url("fo"), "Zm8");
  EXPECT_EQ(encodeBase64url("foo"), "Zm9v");
  EXPECT_EQ(encodeBase64url("foob"), "Zm9vYg");
  EXPECT_EQ(encodeBase64url(std::string("\x03\xec\xff\xe0\xc1", 5)), "A-z_4ME");
}

TEST(Base64url, DecodesWhatItEncodes) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    EXPECT_EQ(decodeBase64url(encodeBase64url(bytes)), bytes) << i;
    bytes += static_cast<char>(255 - i);
  }
}

TEST(Base64url, OtherTextIsNothing) {
  for (const char* text :
       {"A", "AAAAA", "Zg==", "Zm+v", "Zm/v", "Zm 9v", "Zm9v\n", "Zh", "Zm9", "."}) {
    EXPECT_EQ(decodeBase64url(text), std::nullopt) << text;
  }
  EXPECT_EQ(decodeBase64url(std::string("Zm9\0", 4)), std::nullopt);
}

}  // namespace
}  // namespace stormo::access
