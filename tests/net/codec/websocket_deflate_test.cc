#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "net/codec/handshake_fixture.h"
#include "protocol/websocket/deflate.h"

namespace stormo::net {
namespace {

using test::WebSocketClient;
using testing::ElementsAre;

constexpr const char* kAgreed =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

std::string deflated(std::string_view message, int windowBits = 15) {
  return std::string(websocket::Deflater(windowBits).deflate(message));
}

/// A server that compresses, and clients that offer it.
class DeflateTest : public HandshakeTest {
 protected:
  DeflateTest() { useWebSocket({.deflate = {.enabled = true}}); }

  static std::string offering(const std::string& offers) {
    return WebSocketClient::request("/", "Sec-WebSocket-Extensions: " + offers + "\r\n");
  }
  /// Connects with these offers; the events of the opening are dropped.
  WebSocketClient open(const std::string& offers = "permessage-deflate") {
    WebSocketClient client = ask(offering(offers));
    EXPECT_EQ(client.status(), 101);
    events.clear();
    return client;
  }
  /// Sends bytes, and returns the code with which the server closes.
  CloseCode closedBy(WebSocketClient& client, std::string_view bytes) {
    client.raw().send(bytes);
    std::optional<WebSocketClient::Frame> frame;
    EXPECT_TRUE(turnUntil([&] { return (frame = client.next()).has_value(); }));
    EXPECT_EQ(frame->opcode, websocket::Opcode::Close);
    return WebSocketClient::closeCode(*frame);
  }
};

TEST_F(DeflateTest, AnOfferIsAnswered) {
  EXPECT_EQ(ask(offering("permessage-deflate")).header("Sec-WebSocket-Extensions"), kAgreed);
  EXPECT_EQ(ask(offering("permessage-deflate; client_max_window_bits, permessage-deflate"))
                .header("Sec-WebSocket-Extensions"),
            kAgreed);
  EXPECT_EQ(ask(offering("permessage-deflate; server_max_window_bits=10"))
                .header("Sec-WebSocket-Extensions"),
            std::string(kAgreed) + "; server_max_window_bits=10");
}

TEST_F(DeflateTest, AnOfferThatIsDeclinedHasNoAnswer) {
  for (const char* offer : {"permessage-bzip2", "permessage-deflate; unknown",
                            "permessage-deflate; server_max_window_bits=8"}) {
    WebSocketClient client = open(offer);
    EXPECT_EQ(client.header("Sec-WebSocket-Extensions"), "") << offer;
    EXPECT_EQ(closedBy(client, WebSocketClient::frame(0xc1, deflated("Hello"))),
              CloseCode::ProtocolError);
  }
}

TEST_F(DeflateTest, AMalformedOfferIsABadRequest) {
  EXPECT_EQ(ask(offering("permessage-deflate; =")).status(), 400);
}

TEST_F(DeflateTest, WithoutTheSettingOffersAreIgnored) {
  useWebSocket({});
  EXPECT_EQ(ask(offering("permessage-deflate; =")).status(), 101);
  WebSocketClient client = open();
  EXPECT_EQ(client.header("Sec-WebSocket-Extensions"), "");
  EXPECT_EQ(closedBy(client, WebSocketClient::frame(0xc1, deflated("Hello"))),
            CloseCode::ProtocolError);
}

TEST_F(DeflateTest, CompressedMessagesAreInflated) {
  WebSocketClient client = open();
  client.raw().send(WebSocketClient::frame(0xc1, deflated("Hello")) +
                    WebSocketClient::frame(0x81, "plain") +
                    WebSocketClient::frame(0xc2, deflated(std::string(100'000, 'x'))));
  ASSERT_TRUE(turnUntil([&] { return events.size() == 3; }));
  EXPECT_THAT(takeEvents(), ElementsAre("Hello", "plain", std::string(100'000, 'x')));
}

TEST_F(DeflateTest, FragmentsAreInflatedTogetherAndMayBeInterruptedByControlFrames) {
  WebSocketClient client = open();
  const std::string payload = deflated("a message in three fragments");
  client.raw().send(WebSocketClient::frame(0x41, payload.substr(0, 5)) +
                    WebSocketClient::frame(0x89, "!") +
                    WebSocketClient::frame(0x00, payload.substr(5, 5)));
  ASSERT_TRUE(turnUntil([&] { return client.next().has_value(); }));
  // Another client's message uses the same decompressor.
  WebSocketClient other = open();
  other.raw().send(WebSocketClient::frame(0xc1, deflated("other")));
  ASSERT_TRUE(turnUntil([&] { return !events.empty(); }));
  client.raw().send(WebSocketClient::frame(0x80, payload.substr(10)));
  ASSERT_TRUE(turnUntil([&] { return events.size() == 2; }));
  EXPECT_THAT(takeEvents(), ElementsAre("other", "a message in three fragments"));
}

TEST_F(DeflateTest, AMessageMayNotReferToAnEarlierOne) {
  WebSocketClient client = open();
  websocket::Deflater keepsContext(15);
  client.raw().send(WebSocketClient::frame(0xc1, keepsContext.deflate("Hello")));
  ASSERT_TRUE(turnUntil([&] { return !events.empty(); }));
  EXPECT_EQ(closedBy(client, WebSocketClient::frame(0xc1, keepsContext.deflate("Hello"))),
            CloseCode::InvalidPayload);
}

TEST_F(DeflateTest, ABombIsTooBig) {
  endpoint.packageBytesMax = 1 << 20;
  WebSocketClient client = open();
  EXPECT_EQ(closedBy(client, WebSocketClient::frame(0xc2, deflated(std::string(8 << 20, '\0')))),
            CloseCode::TooBig);
  EXPECT_THAT(takeEvents(), testing::Each(testing::StartsWith("close")));
}

TEST_F(DeflateTest, DataThatCannotBeInflatedIsInvalid) {
  WebSocketClient first = open();
  EXPECT_EQ(closedBy(first, WebSocketClient::frame(0xc1, "Hello")), CloseCode::InvalidPayload);
  WebSocketClient second = open();
  EXPECT_EQ(closedBy(second, WebSocketClient::frame(0xc1, deflated("\xff"))),
            CloseCode::InvalidPayload);
}

TEST_F(DeflateTest, CompressedControlFramesAreErrors) {
  for (const int first : {0xc8, 0xc9, 0xca, 0xc0}) {
    WebSocketClient client = open();
    EXPECT_EQ(closedBy(client, WebSocketClient::frame(first, "")), CloseCode::ProtocolError);
  }
}

TEST_F(DeflateTest, AnIdleConnectionKeepsNothing) {
  WebSocketClient client = open();
  const ConnectionId id = last;
  client.raw().send(WebSocketClient::frame(0xc1, deflated("Hello")));
  ASSERT_TRUE(turnUntil([&] { return !events.empty(); }));
  EXPECT_EQ(table.find(id)->codecState, nullptr);
}

}  // namespace
}  // namespace stormo::net
