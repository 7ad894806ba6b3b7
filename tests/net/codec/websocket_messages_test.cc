#include <stdexcept>

#include "net/net_fixture.h"
#include "support/websocket_client.h"

namespace stormo::net {
namespace {

using namespace std::chrono_literals;
using test::binaryFrame;
using test::textFrame;
using test::WebSocketClient;
using testing::ElementsAre;
using testing::IsEmpty;
using websocket::Opcode;

class WebSocketMessagesTest : public NetTest {
 protected:
  WebSocketMessagesTest() { use(std::make_unique<WebSocketCodec>(WebSocketOptions{})); }
  WebSocketClient open(test::SocketPair pair = test::unixPair()) {
    Connected one = accept(std::move(pair));
    last = one.id;
    WebSocketClient client(std::move(one.peer));
    client.sendHandshake();
    EXPECT_TRUE(turnUntil([&] { return client.isOpen(); }));
    events.clear();
    return client;
  }
  Connection& server() { return *table.find(last); }
  /// The next frame from the server.
  WebSocketClient::Frame await(WebSocketClient& client) {
    std::optional<WebSocketClient::Frame> frame;
    EXPECT_TRUE(turnUntil([&] { return (frame = client.next()).has_value() || client.ended(); }));
    return frame.value_or(WebSocketClient::Frame{});
  }
  void expectClose(WebSocketClient& client, CloseCode code, std::string_view reason) {
    const auto frame = await(client);
    EXPECT_EQ(frame.opcode, Opcode::Close);
    EXPECT_EQ(WebSocketClient::closeCode(frame), code);
    EXPECT_EQ(WebSocketClient::closeReason(frame), reason);
  }

  ConnectionId last = 0;
};

TEST_F(WebSocketMessagesTest, TextAndBinaryAreSentAndReceived) {
  endpoint.handlers.onMessage = [](Connection& connection, Message message) {
    (void)connection.send(message);
  };
  WebSocketClient client = open();
  client.sendText("hello");
  client.sendBinary(std::string("\0\1", 2));
  client.sendText("");
  settle();
  EXPECT_THAT(client.all(),
              ElementsAre(textFrame("hello"), binaryFrame(std::string("\0\1", 2)), textFrame("")));
}

TEST_F(WebSocketMessagesTest, AnEmptyViewIsAnEmptyMessage) {
  WebSocketClient client = open();
  (void)server().send(Message(std::string_view()));
  turn();
  EXPECT_THAT(client.all(), ElementsAre(textFrame("")));
}

TEST_F(WebSocketMessagesTest, MessagesOfAllLengthsAreEchoed) {
  endpoint.handlers.onMessage = [](Connection& connection, Message message) {
    (void)connection.send(message);
  };
  WebSocketClient client = open(test::tcpPair());
  for (const std::size_t size : {1ul, 125ul, 126ul, 65'535ul, 65'536ul, 300'000ul}) {
    const std::string payload(size, 'p');
    const std::string wire = WebSocketClient::text(payload);
    std::size_t sent = 0;
    std::optional<WebSocketClient::Frame> echo;
    ASSERT_TRUE(turnUntil([&] {
      sent += client.raw().send(std::string_view(wire).substr(sent));
      return (echo = client.next()).has_value();
    }));
    EXPECT_EQ(*echo, textFrame(payload)) << size;
  }
}

TEST_F(WebSocketMessagesTest, FragmentsAndControlFramesByteByByteMakeTheSameMessages) {
  WebSocketClient client = open();
  const std::string wire =
      WebSocketClient::frame(0x01, "one ") + WebSocketClient::frame(0x89, "p") +
      WebSocketClient::frame(0x00, "message ") + WebSocketClient::frame(0x8a, "unasked") +
      WebSocketClient::frame(0x80, "in three") + WebSocketClient::text("next");
  for (const char& byte : wire) {
    client.raw().send({&byte, 1});
    turn();
  }
  EXPECT_THAT(takeEvents(), ElementsAre("one message in three", "next"));
  client.raw().send(wire);
  settle();
  EXPECT_THAT(takeEvents(), ElementsAre("one message in three", "next"));
  EXPECT_THAT(client.all(), ElementsAre(WebSocketClient::Frame{Opcode::Pong, "p"},
                                        WebSocketClient::Frame{Opcode::Pong, "p"}));
}

TEST_F(WebSocketMessagesTest, PartialMessagesOfManyClientsDoNotMix) {
  std::vector<WebSocketClient> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(open());
  std::vector<std::string> wires;
  for (int i = 0; i < 10; ++i) {
    wires.push_back(WebSocketClient::frame(0x01, "from ") +
                    WebSocketClient::frame(0x80, "client " + std::to_string(i)));
  }
  for (std::size_t byte = 0; byte < wires[0].size(); ++byte) {
    for (std::size_t i = 0; i < clients.size(); ++i)
      clients[i].raw().send(wires[i].substr(byte, 1));
    turn();
  }
  std::vector<std::string> expected;
  for (int i = 0; i < 10; ++i) expected.push_back("from client " + std::to_string(i));
  EXPECT_THAT(events, testing::UnorderedElementsAreArray(expected));
}

TEST_F(WebSocketMessagesTest, PingsAreAnsweredAndPongsAreAccepted) {
  WebSocketClient client = open();
  client.sendPong("unasked");
  client.sendPing("are you there?");
  settle();
  client.sendPing();
  settle();
  EXPECT_THAT(client.all(), ElementsAre(WebSocketClient::Frame{Opcode::Pong, "are you there?"},
                                        WebSocketClient::Frame{Opcode::Pong, ""}));
  EXPECT_THAT(events, IsEmpty());
}

TEST_F(WebSocketMessagesTest, APeerThatPingsAndDoesNotReadFillsNoMemory) {
  endpoint.sendQueueBytesMax = 2000;
  auto pair = test::unixPair();
  test::shrinkSendBuffer(pair.tested.get());
  WebSocketClient client = open(std::move(pair));
  for (int i = 0; i < 2000; ++i) {
    client.sendPing(std::string(125, 'p'));
    turn();
  }
  ASSERT_NE(table.find(last), nullptr);
  EXPECT_LE(server().sendQueueBytes(), 2000u + 127u);
}

TEST_F(WebSocketMessagesTest, CloseHandshakeOfOursIsAnsweredAndEndsTheSocket) {
  WebSocketClient client = open();
  (void)server().send("last");
  server().close(CloseCode::GoingAway, "we restart");
  EXPECT_EQ(await(client), textFrame("last"));
  expectClose(client, CloseCode::GoingAway, "we restart");
  EXPECT_FALSE(client.ended());
  client.sendText("not events any more");
  client.sendClose(CloseCode::GoingAway);
  ASSERT_TRUE(turnUntil([&] { return client.ended(); }));
  client.raw().close();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_THAT(events, ElementsAre("close 1001"));
}

TEST_F(WebSocketMessagesTest, CloseFrameOfThePeerIsAnsweredWithItsCode) {
  WebSocketClient client = open();
  client.sendClose(static_cast<CloseCode>(4321), "enough");
  expectClose(client, static_cast<CloseCode>(4321), "");
  ASSERT_TRUE(turnUntil([&] { return client.ended(); }));
  EXPECT_EQ(table.find(last), nullptr);
  client.raw().close();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_THAT(events, ElementsAre("close 4321"));
}

TEST_F(WebSocketMessagesTest, CloseFrameWithoutCodeIsAnsweredWithoutCode) {
  WebSocketClient client = open();
  client.raw().send(WebSocketClient::frame(0x88, ""));
  const auto frame = await(client);
  EXPECT_EQ(frame, (WebSocketClient::Frame{Opcode::Close, ""}));
  settle();
  EXPECT_THAT(events, ElementsAre("close 1005"));
}

TEST_F(WebSocketMessagesTest, QueuedOutputIsSentBeforeTheCloseFrame) {
  WebSocketClient client = open();
  endpoint.handlers.onMessage = [](Connection& connection, Message) {
    (void)connection.send("answer");
  };
  client.raw().send(WebSocketClient::text("question") + WebSocketClient::frame(0x88, ""));
  EXPECT_EQ(await(client), textFrame("answer"));
  EXPECT_EQ(await(client).opcode, Opcode::Close);
}

TEST_F(WebSocketMessagesTest, SimultaneousCloseFramesAreNotAnswered) {
  WebSocketClient client = open();
  server().close();
  client.sendClose(CloseCode::GoingAway);
  settle();
  expectClose(client, CloseCode::Normal, "");
  EXPECT_TRUE(client.ended());
  EXPECT_FALSE(client.next().has_value());
  EXPECT_THAT(events, ElementsAre("close 1000"));
}

TEST_F(WebSocketMessagesTest, CloseTimeoutWithoutACloseFrameOfThePeer) {
  endpoint.closeTimeout = 30ms;
  WebSocketClient client = open();
  server().close();
  expectClose(client, CloseCode::Normal, "");
  client.sendText("I go on");
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_THAT(events, ElementsAre("close 1000"));
}

TEST_F(WebSocketMessagesTest, CloseTimeoutWithoutAnEndOfFileOfThePeer) {
  endpoint.closeTimeout = 30ms;
  WebSocketClient client = open();
  client.sendClose(CloseCode::Normal);
  ASSERT_TRUE(turnUntil([&] { return client.ended(); }));
  EXPECT_EQ(table.size(), 1u);
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_THAT(events, ElementsAre("close 1000"));
}

TEST_F(WebSocketMessagesTest, AnEndOfFileWithoutCloseFrameIsAbnormal) {
  WebSocketClient client = open();
  client.raw().close();
  settle();
  EXPECT_THAT(events, ElementsAre("close 1006"));
}

TEST_F(WebSocketMessagesTest, AProtocolErrorClosesWithItsCodeAndReasonAndLaterMessagesAreDropped) {
  struct Case {
    std::string wire;
    CloseCode code;
    const char* reason;
  };
  const Case cases[] = {
      {WebSocketClient::frame(0x83, "reserved"), CloseCode::ProtocolError, "reserved opcode"},
      {WebSocketClient::frame(0x80, "what?"), CloseCode::ProtocolError, "continuation of nothing"},
      {WebSocketClient::text("\xff"), CloseCode::InvalidPayload, "text is not UTF-8"},
      {WebSocketClient::frame(0x88, "\x03\xec"), CloseCode::ProtocolError,
       "close frame with invalid code"},
      {"\x81\x05hello", CloseCode::ProtocolError, "frame is not masked"},
  };
  for (const Case& each : cases) {
    WebSocketClient client = open();
    client.raw().send(WebSocketClient::text("good") + each.wire + WebSocketClient::text("later"));
    expectClose(client, each.code, each.reason);
    ASSERT_TRUE(turnUntil([&] { return client.ended(); }));
    EXPECT_THAT(takeEvents(),
                ElementsAre("good", "close " + std::to_string(static_cast<int>(each.code))));
    client.raw().close();
    ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  }
  EXPECT_EQ(counters().badPeers.get(), std::size(cases));
  WebSocketClient next = open();  // with a decoder of its own
  next.sendText("fine");
  settle();
  EXPECT_THAT(events, ElementsAre("fine"));
}

TEST_F(WebSocketMessagesTest, ATooBigMessageIsRefusedByItsHeader) {
  endpoint.packageBytesMax = 1000;
  WebSocketClient client = open();
  client.sendText(std::string(1000, 'x'));
  client.raw().send(WebSocketClient::text(std::string(1001, 'x')).substr(0, 8));
  expectClose(client, CloseCode::TooBig, "message is too big");
}

TEST_F(WebSocketMessagesTest, FragmentsThatExceedTheLimitTogetherAreRefused) {
  endpoint.packageBytesMax = 1000;
  WebSocketClient client = open();
  client.raw().send(WebSocketClient::frame(0x01, std::string(600, 'x')));
  settle();
  client.raw().send(WebSocketClient::frame(0x80, std::string(600, 'x')));
  expectClose(client, CloseCode::TooBig, "message is too big");
}

TEST_F(WebSocketMessagesTest, AHandlerThatThrowsClosesWith1011) {
  endpoint.handlers.onMessage = [](Connection&, Message) { throw std::runtime_error("secret"); };
  WebSocketClient client = open();
  client.raw().send(WebSocketClient::text("a") + WebSocketClient::text("b"));
  expectClose(client, CloseCode::InternalError, "internal error");
  EXPECT_EQ(counters().handlerErrors.get(), 1u);
}

TEST_F(WebSocketMessagesTest, HandlersMayCloseAndDestroyInTheMiddleOfAFragmentedMessage) {
  endpoint.handlers.onMessage = [](Connection& connection, Message message) {
    message.data == "close" ? connection.close() : connection.destroy();
  };
  for (const char* what : {"close", "destroy"}) {
    WebSocketClient client = open();
    client.raw().send(WebSocketClient::frame(0x01, "").append(WebSocketClient::frame(0x80, what)) +
                      WebSocketClient::frame(0x01, "begun"));
    turn();
    client.raw().send(WebSocketClient::frame(0x80, "ended"));
    settle();
    EXPECT_EQ(events.size(), 1u) << what;
    events.clear();
    client.raw().close();
    settle();
  }
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(WebSocketMessagesTest, AnIdleConnectionHoldsNoMemory) {
  WebSocketClient client = open();
  client.raw().send(WebSocketClient::frame(0x01, "half"));
  settle();
  ConnectionImpl& connection = *table.find(last);
  EXPECT_NE(connection.codecState, nullptr);
  client.raw().send(WebSocketClient::frame(0x80, "whole"));
  settle();
  EXPECT_EQ(connection.codecState, nullptr);
  EXPECT_EQ(connection.in.stash, nullptr);
  EXPECT_EQ(connection.out.own, nullptr);
  EXPECT_EQ(connection.out.queue, nullptr);
}

}  // namespace
}  // namespace stormo::net
