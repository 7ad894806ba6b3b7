#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
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
                            "permessage-deflate; server_max_window_bits=7"}) {
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

TEST_F(DeflateTest, MessagesFromAMinimumSizeOnAreCompressed) {
  WebSocketClient client = open();
  Connection& connection = *table.find(last);
  (void)connection.send(std::string(255, 'x'));
  (void)connection.send(std::string(256, 'x'));
  (void)connection.send(Message(std::string(256, 'x'), MessageType::Binary));
  settle();
  const auto frames = client.all();
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[0], test::textFrame(std::string(255, 'x')));
  EXPECT_EQ(frames[1].payload, std::string(256, 'x'));
  EXPECT_GT(frames[1].deflatedBytes, 0u);
  EXPECT_LT(frames[1].deflatedBytes, 20u);
  EXPECT_EQ(frames[2].opcode, websocket::Opcode::Binary);
  EXPECT_EQ(frames[2].deflatedBytes, frames[1].deflatedBytes) << "it refers to an earlier message";
}

TEST_F(DeflateTest, WhatCompressionDoesNotShortenIsSentAsItIs) {
  std::string noise;
  for (std::uint32_t i = 0, bits = 1; i < 400; ++i, bits = bits * 1'664'525 + 1'013'904'223) {
    noise.push_back(static_cast<char>(bits >> 24));
  }
  WebSocketClient client = open();
  (void)table.find(last)->send(Message(noise, MessageType::Binary));
  settle();
  EXPECT_THAT(client.all(), ElementsAre(test::binaryFrame(noise)));
}

TEST_F(DeflateTest, TheWindowIsThatWhichTheClientHasAskedFor) {
  // The second half repeats the first, 600 bytes before it.
  std::string half;
  for (int i = 0; half.size() < 600; ++i) half += std::to_string(i * 7919);
  std::map<std::string, std::size_t> bytes;
  for (const char* bits : {"9", "15"}) {
    WebSocketClient client =
        open(std::string("permessage-deflate; server_max_window_bits=") + bits);
    (void)table.find(last)->send(half + half);
    settle();
    const auto frames = client.all();
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(frames[0].payload, half + half);
    bytes[bits] = frames[0].deflatedBytes;
  }
  EXPECT_GT(bytes["9"], bytes["15"] + 100);
}

TEST_F(DeflateTest, WhatIsSentBeforeTheNegotiationIsPlain) {
  endpoint.handlers.onConnect = [](Connection& connection) {
    (void)connection.send(std::string(400, 'x'));
  };
  WebSocketClient client = open();
  (void)table.find(last)->send(std::string(400, 'y'));
  settle();
  const auto frames = client.all();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0], test::textFrame(std::string(400, 'x')));
  EXPECT_EQ(frames[1].payload, std::string(400, 'y'));
  EXPECT_GT(frames[1].deflatedBytes, 0u);
}

TEST_F(DeflateTest, AnIdleConnectionKeepsNothing) {
  WebSocketClient client = open();
  const ConnectionId id = last;
  client.raw().send(WebSocketClient::frame(0xc1, deflated("Hello")));
  ASSERT_TRUE(turnUntil([&] { return !events.empty(); }));
  EXPECT_EQ(table.find(id)->codecState, nullptr);
}

// --- Context takeover ---

class DeflateContextTest : public DeflateTest {
 protected:
  DeflateContextTest() { useWebSocket({.deflate = {.enabled = true, .contextTakeover = true}}); }
};

TEST_F(DeflateContextTest, IsAgreedOnWhereTheClientAllowsIt) {
  EXPECT_EQ(ask(offering("permessage-deflate")).header("Sec-WebSocket-Extensions"),
            "permessage-deflate");
  EXPECT_EQ(ask(offering("permessage-deflate; server_no_context_takeover"))
                .header("Sec-WebSocket-Extensions"),
            "permessage-deflate; server_no_context_takeover");
}

TEST_F(DeflateContextTest, ReceivedMessagesMayReferToEarlierOnesOfTheirConnection) {
  WebSocketClient one = open();
  WebSocketClient two = open();
  websocket::Deflater deflaterOfOne(15);
  websocket::Deflater deflaterOfTwo(15);
  for (int i = 0; i < 3; ++i) {
    one.raw().send(WebSocketClient::frame(0xc1, deflaterOfOne.deflate("Hello")));
    two.raw().send(WebSocketClient::frame(0xc1, deflaterOfTwo.deflate("Goodbye")));
    ASSERT_TRUE(turnUntil([&] { return events.size() == 2; }));
    EXPECT_THAT(takeEvents(), testing::UnorderedElementsAre("Hello", "Goodbye"));
  }
}

TEST_F(DeflateContextTest, SentMessagesReferToEarlierOnes) {
  WebSocketClient client = open();
  std::string text;
  for (int i = 0; text.size() < 400; ++i) text += std::to_string(i * 7919);
  for (int i = 0; i < 3; ++i) {
    (void)table.find(last)->send(text);
    (void)table.find(last)->send("short");
  }
  settle();
  const auto frames = client.all();
  ASSERT_EQ(frames.size(), 6u);
  for (std::size_t i = 0; i < frames.size(); i += 2) {
    EXPECT_EQ(frames[i].payload, text);
    EXPECT_EQ(frames[i + 1], test::textFrame("short"));
  }
  EXPECT_GT(frames[0].deflatedBytes, 100u);
  EXPECT_LT(frames[2].deflatedBytes, 20u);
  EXPECT_LT(frames[4].deflatedBytes, 20u);
}

TEST_F(DeflateContextTest, AClientWithoutContextGetsEachMessageOnItsOwn) {
  WebSocketClient client = open("permessage-deflate; server_no_context_takeover");
  for (int i = 0; i < 2; ++i) (void)table.find(last)->send(std::string(300, 'x'));
  settle();
  EXPECT_THAT(client.messages(), ElementsAre(std::string(300, 'x'), std::string(300, 'x')));
}

}  // namespace
}  // namespace stormo::net
