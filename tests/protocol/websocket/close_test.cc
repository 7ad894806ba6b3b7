#include "protocol/websocket/close.h"

#include <gtest/gtest.h>

#include <vector>

#include "protocol/text/utf8.h"

namespace stormo::websocket {
namespace {

TEST(CloseCodes, ValidOnTheWireAreThoseOfTheRegistry) {
  std::vector<int> valid;
  for (int code = 0; code < 3000; ++code) {
    if (isValidOnWire(static_cast<std::uint16_t>(code))) valid.push_back(code);
  }
  EXPECT_EQ(valid,
            (std::vector{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}));
  for (int code = 3000; code <= 65535; ++code) {
    EXPECT_EQ(isValidOnWire(static_cast<std::uint16_t>(code)), code <= 4999) << code;
  }
}

TEST(ClosePayload, IsReadBackAsWritten) {
  const std::string payload = encodeClosePayload(CloseCode::PolicyViolation, "too slow");
  EXPECT_EQ(payload, "\x03\xf0too slow");
  const CloseFrame close = decodeClose(payload);
  EXPECT_TRUE(close.valid);
  EXPECT_EQ(close.code, CloseCode::PolicyViolation);
  EXPECT_EQ(close.reason, "too slow");
}

TEST(ClosePayload, MayBeEmpty) {
  const CloseFrame close = decodeClose("");
  EXPECT_TRUE(close.valid);
  EXPECT_EQ(close.code, CloseCode::NoStatus);
  EXPECT_EQ(close.reason, "");
}

TEST(ClosePayload, MalformedGivesTheCodeToAnswerWith) {
  EXPECT_FALSE(decodeClose("x").valid);
  EXPECT_EQ(decodeClose("x").code, CloseCode::ProtocolError);
  EXPECT_FALSE(decodeClose("\x03\xed").valid);  // 1005
  EXPECT_EQ(decodeClose("\x03\xed").code, CloseCode::ProtocolError);
  EXPECT_FALSE(decodeClose("\x03\xe8\xff").valid);
  EXPECT_EQ(decodeClose("\x03\xe8\xff").code, CloseCode::InvalidPayload);
}

TEST(ClosePayload, NeverCarriesAReservedCode) {
  EXPECT_EQ(encodeClosePayload(CloseCode::NoStatus, "reason"), "");
  EXPECT_EQ(encodeClosePayload(CloseCode::Abnormal), "");
}

TEST(ClosePayload, CutsALongReasonBetweenCharacters) {
  std::string reason;
  while (reason.size() < 200) reason += "\xe2\x82\xac";  // three bytes each
  for (std::size_t lead = 0; lead < 3; ++lead) {
    const std::string payload =
        encodeClosePayload(CloseCode::Normal, std::string(lead, 'a') + reason);
    EXPECT_LE(payload.size(), 125u);
    EXPECT_GT(payload.size(), 122u);
    EXPECT_TRUE(isUtf8(std::string_view(payload).substr(2))) << lead;
  }
  EXPECT_EQ(encodeClosePayload(CloseCode::Normal, std::string(123, 'a')).size(), 125u);
}

}  // namespace
}  // namespace stormo::websocket
