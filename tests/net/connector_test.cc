#include <stdexcept>

#include "event/loop_impl.h"
#include "net/connector_fixture.h"
#include "support/temp_directory.h"

namespace stormo::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST_F(ConnectorTest, ConnectsAndSendsBothWays) {
  endpoint.handlers.onMessage = [](Connection& connection, Message message) {
    (void)connection.send("re: " + std::string(message.data));
  };
  auto connector = connectorTo(url());
  connector->onConnect = [&](Connection& connection) {
    reported.push_back("connect");
    (void)connection.send("hello");
  };
  EXPECT_EQ(connector->connection(), nullptr);
  connector->connect();
  connector->connect();
  ASSERT_TRUE(turnUntil([&] { return reported.size() == 2; }));
  EXPECT_THAT(reported, ElementsAre("connect", "re: hello"));
  EXPECT_THAT(events, ElementsAre("connect"));
  EXPECT_NE(connector->connection(), nullptr);
}

TEST_F(ConnectorTest, OutputSentWhileConnectingLeavesOnceConnected) {
  auto connector = connectorTo(url());
  connector->connect();
  ASSERT_NE(connector->connection(), nullptr);
  EXPECT_EQ(connector->connection()->send("early"), SendStatus::Queued);
  ASSERT_TRUE(turnUntil([&] { return events.size() == 2; }));
  EXPECT_THAT(events, ElementsAre("connect", "early"));
}

TEST_F(ConnectorTest, ReconnectsALostConnection) {
  auto connector = connectorTo(url());
  connector->connect();
  ASSERT_TRUE(connected(*connector));
  table.forEach([&](ConnectionImpl& connection) {
    if (connection.endpoint == &endpoint) connection.destroy();
  });
  ASSERT_TRUE(turnUntil([&] { return reported.size() == 3; }));
  EXPECT_THAT(reported, ElementsAre("connect", "close", "connect"));
}

TEST_F(ConnectorTest, AResetIsAnErrorAndReconnects) {
  auto connector = connectorTo(url());
  endpoint.handlers.onConnect = [&](Connection& connection) {
    if (counters().connectionsTotal.get() > 3) return;
    const linger atOnce{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(static_cast<ConnectionImpl&>(connection).fd.get(), SOL_SOCKET, SO_LINGER, &atOnce,
                 sizeof atOnce);
    connection.destroy();
  };
  connector->connect();
  ASSERT_TRUE(turnUntil([&] { return reported.size() >= 4; }));
  EXPECT_EQ(reported[0], "connect");
  EXPECT_EQ(reported.back(), "connect");
}

TEST_F(ConnectorTest, AFailedAttemptIsAnErrorAndRetried) {
  const std::uint16_t where = port();
  auto connector = connectorTo(url());
  stopListening();
  connector->connect();
  ASSERT_TRUE(turnUntil([&] { return reported.size() >= 2; }));
  EXPECT_EQ(reported[0], "connect");  // the step that failed
  EXPECT_EQ(reported[1], "connect");
  EXPECT_THAT(events, IsEmpty());
  listen(where);
  ASSERT_TRUE(turnUntil([&] { return !events.empty(); }));
}

TEST_F(ConnectorTest, AnImmediateFailureIsReportedInALaterTurn) {
  auto connector = connectorTo("unix:///no/such/socket");
  connector->reconnect = 0ms;
  int errors = 0;
  connector->onError = [&](const Error& error) {
    EXPECT_STREQ(error.step, "connect");
    if (++errors < 3) connector->connect();
  };
  connector->connect();
  EXPECT_EQ(errors, 0);
  ASSERT_TRUE(turnUntil([&] { return errors == 3; }));
  connector->connect();
  connector->close();
  settle();
  EXPECT_EQ(errors, 3);
}

TEST_F(ConnectorTest, HandlersThatThrowDoNotStopTheReconnects) {
  auto connector = connectorTo(url());
  const std::uint16_t where = port();
  stopListening();
  int errors = 0;
  connector->onError = [&](const Error&) {
    ++errors;
    throw std::runtime_error("oops");
  };
  connector->onClose = [](Connection&) { throw std::runtime_error("oops"); };
  connector->connect();
  ASSERT_TRUE(turnUntil([&] { return errors == 2; }));
  listen(where);
  ASSERT_TRUE(turnUntil([&] { return reported.size() == 1; }));
  table.forEach([](ConnectionImpl& connection) { connection.destroy(); });
  ASSERT_TRUE(turnUntil([&] { return reported.size() == 2; }));
  EXPECT_THAT(reported, ElementsAre("connect", "connect"));
}

TEST_F(ConnectorTest, WithoutReconnectAFailureIsNotRetried) {
  auto connector = connectorTo(url());
  stopListening();
  connector->reconnect = 0ms;
  int errors = 0;
  connector->onError = [&](const Error& error) {
    ++errors;
    EXPECT_EQ(error.code, std::make_error_code(std::errc::connection_refused));
  };
  connector->connect();
  ASSERT_TRUE(turnUntil([&] { return errors == 1; }));
  settle();
  EXPECT_EQ(errors, 1);
  EXPECT_EQ(connector->connection(), nullptr);
}

TEST_F(ConnectorTest, CloseFlushesAndDoesNotReconnect) {
  auto connector = connectorTo(url());
  connector->connect();
  ASSERT_TRUE(connected(*connector));
  (void)connector->connection()->send("last words");
  connector->close();
  EXPECT_EQ(connector->connection(), nullptr);
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_THAT(events, ElementsAre("connect", "last words", "close 1006"));
  EXPECT_THAT(takeReported(), ElementsAre("connect", "close"));
  connector->connect();
  ASSERT_TRUE(turnUntil([&] { return reported.size() == 1; }));
  EXPECT_THAT(reported, ElementsAre("connect"));
}

TEST_F(ConnectorTest, CloseWhileConnectingCallsNoHandlerAndAllowsConnect) {
  auto connector = connectorTo(url());
  connector->connect();
  connector->close();
  settle();
  EXPECT_THAT(reported, IsEmpty());
  connector->connect();
  ASSERT_TRUE(turnUntil([&] { return reported.size() == 1; }));
  EXPECT_THAT(reported, ElementsAre("connect"));
}

TEST_F(ConnectorTest, ConnectRightAfterCloseMakesANewConnection) {
  auto connector = connectorTo(url());
  connector->reconnect = 0ms;
  connector->connect();
  ASSERT_TRUE(connected(*connector));
  Connection* const old = connector->connection();
  connector->close();
  connector->connect();
  ASSERT_TRUE(turnUntil([&] { return reported.size() == 3; }));
  EXPECT_THAT(reported, UnorderedElementsAre("connect", "close", "connect"));
  EXPECT_NE(connector->connection(), old);
  ASSERT_NE(connector->connection(), nullptr);
  (void)connector->connection()->send("on the new one");
  ASSERT_TRUE(turnUntil([&] { return events.back() == "on the new one"; }));
}

TEST_F(ConnectorTest, ItsOwnHandlersMayConnectAndClose) {
  auto connector = connectorTo(url());
  connector->reconnect = 0ms;
  int closes = 0;
  const std::string large(100, 'c');  // a capture that std::function allocates
  connector->onClose = [&, large](Connection&) {
    connector->connect();
    if (++closes == 3) connector->close();
    EXPECT_EQ(large.size(), 100u);
  };
  connector->onConnect = [&, large](Connection&) {
    connector->connect();
    connector->close();
    EXPECT_EQ(large.size(), 100u);
  };
  connector->connect();
  ASSERT_TRUE(turnUntil([&] { return closes == 3; }));
  settle();
  EXPECT_EQ(closes, 3);
}

TEST_F(ConnectorTest, DestroyedItCallsNoHandler) {
  auto connector = connectorTo(url());
  connector->connect();
  ASSERT_TRUE(connected(*connector));
  takeReported();
  connector.reset();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_THAT(reported, IsEmpty());
}

TEST_F(ConnectorTest, DestroyedRightAfterCloseItStillFlushesAndCallsNoHandler) {
  auto connector = connectorTo(url());
  connector->connect();
  ASSERT_TRUE(connected(*connector));
  takeReported();
  (void)connector->connection()->send("last words");
  connector->close();
  connector.reset();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_THAT(reported, IsEmpty());
  EXPECT_THAT(events, ElementsAre("connect", "last words", "close 1006"));
}

TEST_F(ConnectorTest, DestroyedWhileWaitingToReconnectItCallsNoHandler) {
  auto connector = connectorTo(url());
  stopListening();
  connector->connect();
  ASSERT_TRUE(turnUntil([&] { return reported.size() == 1; }));
  const auto before = counters().timers.get();
  connector.reset();
  turn();
  EXPECT_EQ(counters().timers.get(), before - 1);
}

TEST(Connector, MayOutliveItsLoop) {
  std::unique_ptr<Connector> connector;
  {
    EventLoop loop;
    connector = std::make_unique<Connector>("text://127.0.0.1:1");
    connector->connect();
    test::settle(loop);
  }
  connector.reset();
}

TEST_F(ConnectorTest, UsesTheGivenProtocolOverAUnixSocket) {
  const test::TempDirectory directory;
  const UniqueFd local = std::move(*listenOn(*Address::unixPath(directory.file("s"))));
  listener.start(local.get());
  Connector connector("unix://" + directory.file("s"), Protocol::text());
  connector.onConnect = [](Connection& connection) { (void)connection.send("over unix"); };
  connector.connect();
  ASSERT_TRUE(turnUntil([&] { return events.size() == 2; }));
  EXPECT_THAT(events, ElementsAre("connect", "over unix"));
  listener.stop(local.get());
}

TEST_F(ConnectorTest, AnUnsupportedUrlThrows) {
  for (const char* wrong :
       {"websocket://127.0.0.1:1", "smtp://127.0.0.1:1", "127.0.0.1:1", "text://"}) {
    EXPECT_THROW(Connector{wrong}, std::invalid_argument) << wrong;
  }
}

TEST_F(ConnectorTest, ConnectTimeoutIsAnError) {
  // Nothing accepts and the backlog is full: the kernel leaves the next connection attempt hanging.
  stopListening();
  const UniqueFd busy = std::move(*listenOn(*Address::ip("127.0.0.1", 0), {.backlog = 0}));
  const std::uint16_t where = localAddress(busy.get()).port();
  std::vector<UniqueFd> waiting;
  for (int i = 0; i < 8; ++i)
    waiting.push_back(std::move(*connectTo(*Address::ip("127.0.0.1", where))));
  auto connector = connectorTo("text://127.0.0.1:" + std::to_string(where));
  connector->connectTimeout = 20ms;
  connector->reconnect = 0ms;
  std::error_code code;
  connector->onError = [&](const Error& error) { code = error.code; };
  connector->connect();
  ASSERT_TRUE(turnUntil([&] { return code || !reported.empty(); }));
  if (!reported.empty()) GTEST_SKIP() << "this kernel lets nobody hang";
  EXPECT_EQ(code, std::make_error_code(std::errc::timed_out));
  EXPECT_EQ(connector->connection(), nullptr);
}

TEST_F(ConnectorTest, HasKeepAlive) {
  auto connector = connectorTo(url());
  connector->connect();
  ASSERT_TRUE(connected(*connector));
  int on = 0;
  socklen_t size = sizeof on;
  const int fd = static_cast<ConnectionImpl*>(connector->connection())->fd.get();
  ASSERT_EQ(::getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size), 0);
  EXPECT_EQ(on, 1);
}

TEST_F(ConnectorTest, LocalhostConnectsToEitherLoopbackAddress) {
  auto connector = connectorTo("text://localhost:" + std::to_string(port()));
  connector->connect();
  ASSERT_TRUE(connected(*connector));
  EXPECT_EQ(connector->connection()->remoteIp(), "127.0.0.1");

  auto v6 = listenOn(*Address::ip("::1", 0));
  if (!v6) GTEST_SKIP() << "no IPv6 here";
  listener.start(v6->get());
  events.clear();
  takeReported();
  auto second = connectorTo("text://localhost:" + std::to_string(localAddress(v6->get()).port()));
  second->connect();
  ASSERT_TRUE(connected(*second));
  EXPECT_EQ(second->connection()->remoteIp(), "::1");
  EXPECT_THAT(reported, ElementsAre("connect"));
}

TEST_F(ConnectorTest, AnAttemptThatCannotBeWatchedIsAnErrorAndRetried) {
  auto connector = connectorTo(url());
  LoopImpl::of(loop).refuseWatches(ENOSPC);
  connector->connect();
  ASSERT_TRUE(turnUntil([&] { return reported.size() >= 2; }));
  EXPECT_EQ(reported.front(), "epoll_ctl");
  LoopImpl::of(loop).refuseWatches(0);
  reported.clear();
  ASSERT_TRUE(turnUntil([&] { return !reported.empty() && reported.back() == "connect"; }));
}

}  // namespace
}  // namespace stormo::net
