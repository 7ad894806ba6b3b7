// What a handler of onWebSocketConnect answers, at once or later.
#include <stdexcept>

#include "net/codec/handshake_fixture.h"

namespace stormo::net {
namespace {

using namespace std::chrono_literals;
using test::WebSocketClient;
using testing::ElementsAre;
using testing::IsEmpty;

class HandshakeAnswerTest : public HandshakeTest {
 protected:
  /// A client whose handshake waits for `pending`, and has sent `more` after it.
  WebSocketClient askLater(std::string_view more = {}) {
    useWebSocket(
        {}, [this](Connection&, WebSocketHandshake& handshake) { pending = handshake.later(); });
    WebSocketClient client = connect();
    client.raw().send(WebSocketClient::request() + std::string(more));
    EXPECT_TRUE(turnUntil([&] { return pending.connection() == last; }));
    takeEvents();
    return client;
  }

  PendingHandshake pending;
};

TEST_F(HandshakeAnswerTest, ExtraHeadersAreInTheAnswer) {
  useWebSocket({}, [](Connection&, WebSocketHandshake& handshake) {
    handshake.addHeader("Set-Cookie", "sid=1; HttpOnly");
    handshake.addHeader("X-Empty", "");
  });
  WebSocketClient client = ask(WebSocketClient::request());
  EXPECT_TRUE(client.isOpen());
  EXPECT_EQ(client.header("Set-Cookie"), "sid=1; HttpOnly");
  EXPECT_EQ(client.header("Upgrade"), "websocket");
}

TEST_F(HandshakeAnswerTest, AHeaderThatCannotBeSentIsAnErrorOfTheHandler) {
  const std::pair<const char*, std::string_view> bad[] = {
      {"", "x"},
      {"a b", "x"},
      {"a:", "x"},
      {"a\r\nb", "x"},
      {"a", "x\r\nSet-Cookie: b"},
      {"a", "x\ny"},
      {"a", std::string_view("x\0", 2)},
      {"upgrade", "h2c"},
      {"Connection", "close"},
      {"sec-websocket-accept", "x"},
      {"Sec-WebSocket-Extensions", "permessage-deflate"},
      {"Content-Length", "1"},
      {"transfer-encoding", "chunked"},
  };
  for (const auto& [name, value] : bad) {
    useWebSocket({}, [&](Connection&, WebSocketHandshake& handshake) {
      EXPECT_THROW(handshake.addHeader(name, value), std::invalid_argument) << name;
      handshake.addHeader(name, value);
    });
    EXPECT_EQ(ask(WebSocketClient::request()).status(), 500) << name;
  }
}

TEST_F(HandshakeAnswerTest, ASubprotocolThatIsNoTokenIsAnErrorOfTheHandler) {
  useWebSocket({}, [](Connection&, WebSocketHandshake& handshake) {
    handshake.subprotocol = "v1\r\nSet-Cookie: a=b";
  });
  WebSocketClient client = ask(WebSocketClient::request());
  EXPECT_EQ(client.status(), 500);
  EXPECT_EQ(client.header("Set-Cookie"), "");
}

TEST_F(HandshakeAnswerTest, ARefusalNeedsAnErrorStatus) {
  for (const int status : {-1, 0, 101, 200, 399, 600, 70'000}) {
    useWebSocket({}, [&](Connection&, WebSocketHandshake& handshake) {
      EXPECT_THROW(handshake.refuse(status), std::invalid_argument) << status;
      EXPECT_THROW((void)PendingHandshake().refuse(status), std::invalid_argument) << status;
      EXPECT_EQ(handshake.refusedWith(), 0);
    });
    EXPECT_EQ(ask(WebSocketClient::request()).status(), 101) << status;
  }
  for (const int status : {400, 418, 599}) {
    useWebSocket({}, [&](Connection&, WebSocketHandshake& handshake) { handshake.refuse(status); });
    EXPECT_EQ(ask(WebSocketClient::request()).status(), status);
  }
}

TEST_F(HandshakeAnswerTest, AcceptLaterAnswersWithSubprotocolAndHeaders) {
  useWebSocket({.subprotocols = {"v1"}},
               [this](Connection& connection, WebSocketHandshake& handshake) {
                 handshake.addHeader("X-Later", "yes");
                 (void)connection.send("first");
                 pending = handshake.later();
               });
  WebSocketClient client = connect();
  client.sendHandshake("/", "Sec-WebSocket-Protocol: v1\r\n");
  settle();
  EXPECT_FALSE(client.answered());
  ASSERT_TRUE(pending.accept());
  EXPECT_EQ(table.find(last)->send("second"), SendStatus::Queued);
  EXPECT_THAT(events, ElementsAre("connect")) << "accept() calls no handler";
  ASSERT_TRUE(turnUntil([&] { return client.isOpen(); }));
  EXPECT_EQ(client.header("Sec-WebSocket-Protocol"), "v1");
  EXPECT_EQ(client.header("X-Later"), "yes");
  settle();
  EXPECT_THAT(client.messages(), ElementsAre("first", "second"));
  EXPECT_THAT(events, ElementsAre("connect", "open"));
  EXPECT_FALSE(pending.accept());
  EXPECT_FALSE(pending.refuse(403));
}

TEST_F(HandshakeAnswerTest, MessagesBeforeALateAnswerWaitAndFollowTheOpening) {
  for (const std::string& big : {std::string(), std::string(100'000, 'x')}) {
    WebSocketClient client =
        askLater(WebSocketClient::text("at once") + WebSocketClient::text(big));
    for (const char byte : WebSocketClient::text("by byte")) {
      client.raw().send({&byte, 1});
      turn();
    }
    settle();
    EXPECT_THAT(events, IsEmpty());
    ASSERT_TRUE(pending.accept());
    ASSERT_TRUE(turnUntil([&] { return events.size() == 4; }));
    EXPECT_THAT(takeEvents(), ElementsAre("open", "at once", big, "by byte"));
    EXPECT_TRUE(client.isOpen());
  }
}

TEST_F(HandshakeAnswerTest, BytesBeforeALateAnswerAreReadOnlyUpToALimit) {
  WebSocketClient client = askLater();
  const std::string flood = WebSocketClient::text(std::string(4 << 20, 'x'));
  std::size_t sent = 0;
  for (int i = 0; i < 200; ++i) {
    sent += client.raw().send(std::string_view(flood).substr(sent));
    turn();
  }
  EXPECT_LT(table.find(last)->in.bytesRead, 100'000u);
  ASSERT_TRUE(pending.accept());
  ASSERT_TRUE(turnUntil([&] {
    sent += client.raw().send(std::string_view(flood).substr(sent));
    return events.size() == 2;
  }));
  EXPECT_EQ(events[1].size(), std::size_t{4} << 20);
}

TEST_F(HandshakeAnswerTest, APauseByTheUserOutlastsALateAnswer) {
  WebSocketClient client = askLater(WebSocketClient::text("later"));
  table.find(last)->pauseRecv();
  ASSERT_TRUE(pending.accept());
  settle();
  EXPECT_THAT(takeEvents(), ElementsAre("open"));
  table.find(last)->resumeRecv();
  settle();
  EXPECT_THAT(events, ElementsAre("later"));
}

TEST_F(HandshakeAnswerTest, RefuseLaterAnswersWithTheStatus) {
  WebSocketClient client = askLater(WebSocketClient::text("never read"));
  ASSERT_TRUE(pending.refuse(403, "not you"));
  ASSERT_TRUE(turnUntil([&] { return client.ended(); }));
  EXPECT_EQ(client.status(), 403);
  EXPECT_EQ(client.body(), "not you\n");
  EXPECT_FALSE(pending.accept());
  EXPECT_THAT(events, ElementsAre("close 1000"));
}

TEST_F(HandshakeAnswerTest, ALateAnswerAfterTheClientDisconnectedHasNoEffect) {
  WebSocketClient client = askLater();
  const PendingHandshake copy = pending;
  client.raw().close();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_FALSE(copy.accept());
  EXPECT_FALSE(copy.refuse(403));
  EXPECT_FALSE(PendingHandshake().accept());
  WebSocketClient next = connect();
  EXPECT_FALSE(copy.accept());
  EXPECT_FALSE(PendingHandshake(last).accept()) << "its request has not come";
  EXPECT_THAT(takeEvents(), ElementsAre("close 1006", "connect"));
}

TEST_F(HandshakeAnswerTest, ALateAnswerThatTakesTooLongIs503) {
  endpoint.handshakeTimeout = 20ms;
  WebSocketClient client = askLater();
  ASSERT_TRUE(turnUntil([&] { return client.answered(); }));
  EXPECT_EQ(client.status(), 503);
  EXPECT_FALSE(pending.accept());
}

TEST_F(HandshakeAnswerTest, AConnectionMayCloseBeforeItsLateAnswer) {
  WebSocketClient client = askLater();
  table.find(last)->close(CloseCode::GoingAway);
  EXPECT_FALSE(pending.accept());
  ASSERT_TRUE(turnUntil([&] { return client.answered(); }));
  EXPECT_EQ(client.status(), 503);
}

TEST_F(HandshakeAnswerTest, AConnectionThatClosesWithItsLateAnswerIsNotReportedAsOpen) {
  WebSocketClient client = askLater();
  ASSERT_TRUE(pending.accept());
  table.find(last)->close();
  ASSERT_TRUE(turnUntil([&] { return client.isOpen(); }));
  settle();
  EXPECT_THAT(events, ElementsAre("close 1000"));
}

TEST_F(HandshakeAnswerTest, TheCloseReasonOfThePeerIsKnownInOnClose) {
  std::vector<std::string> reasons;
  const auto closed = [&](CloseCode code, std::string_view reason) {
    useWebSocket({});
    endpoint.handlers.onClose = [&](Connection& connection) {
      reasons.push_back(std::string(connection.closeReason()));
    };
    WebSocketClient client = ask(WebSocketClient::request());
    EXPECT_EQ(table.find(last)->closeReason, nullptr);
    client.sendClose(code, reason);
    client.raw().close();
    EXPECT_TRUE(turnUntil([&] { return table.size() == 0; }));
  };
  closed(CloseCode::Normal, "bye, è");
  closed(static_cast<CloseCode>(4001), std::string(123, 'r'));
  closed(CloseCode::Normal, "");
  EXPECT_THAT(reasons, ElementsAre("bye, è", std::string(123, 'r'), ""));
}

TEST_F(HandshakeAnswerTest, TheCloseReasonIsEmptyIfThisSideClosesFirst) {
  std::string reason = "unset";
  endpoint.handlers.onClose = [&](Connection& connection) {
    reason = std::string(connection.closeReason());
  };
  WebSocketClient client = ask(WebSocketClient::request());
  table.find(last)->close(CloseCode::Normal, "ours");
  turn();
  client.sendClose(CloseCode::Normal, "theirs");
  client.raw().close();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_EQ(reason, "");
}

}  // namespace
}  // namespace stormo::net
