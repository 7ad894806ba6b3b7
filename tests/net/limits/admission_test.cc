#include "net/limits/admission.h"

#include "net/net_fixture.h"
#include "net/proxy_peers.h"
#include "support/websocket_client.h"

namespace stormo::net {
namespace {

using namespace std::chrono_literals;
using test::WebSocketClient;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AdmissionTest : public NetTest {
 protected:
  AdmissionTest() { use(std::make_unique<WebSocketCodec>(WebSocketOptions{})); }

  void limit(const Limits& limits, int processes = 1) {
    shared.emplace(limits, processes, 1000);
    admission.emplace(*shared, 0, reactor);
    endpoint.admission = &*admission;
  }
  /// A client with that address. Its connection is null if it was refused at once.
  WebSocketClient connectFrom(const std::string& ip = "192.0.2.1", bool awaitsProxyHeader = false) {
    test::SocketPair pair = test::unixPair();
    last = table
               .accept(std::move(pair.tested), endpoint, Address::ip(ip, 4000).value(),
                       awaitsProxyHeader)
               .value();
    return WebSocketClient(std::move(pair.peer));
  }
  /// The status of the answer to a client that sends its request.
  int statusOf(WebSocketClient& client, std::string_view headers = {}) {
    client.sendHandshake("/", headers);
    EXPECT_TRUE(turnUntil([&] { return client.answered(); }));
    return client.status();
  }
  WebSocketClient open(const std::string& ip = "192.0.2.1") {
    WebSocketClient client = connectFrom(ip);
    EXPECT_EQ(statusOf(client), 101);
    return client;
  }
  void trust(const std::vector<std::string>& entries) {
    proxies.emplace(proxy::TrustedProxies(entries), ForwardedHeader::XForwardedFor);
    endpoint.proxies = &*proxies;
  }
  LimitCounters& figures() { return counters().limits; }

  std::optional<SharedAdmission> shared;
  std::optional<Admission> admission;
  std::optional<ProxyPeers> proxies;
  ConnectionImpl* last = nullptr;
};

TEST_F(AdmissionTest, OneConnectionTooManyIsAnsweredWith503) {
  limit({.connections = {.max = 2}});
  WebSocketClient one = open();
  const WebSocketClient two = open();
  events.clear();
  testing::internal::CaptureStderr();
  WebSocketClient three = connectFrom();
  EXPECT_EQ(statusOf(three), 503);
  EXPECT_EQ(three.header("Retry-After"), "10");
  EXPECT_EQ(three.body(), "too many connections\n");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("clients are refused limit=connections max=2 refused=1 "
                        "last_remote=192.0.2.1:4000"));
  EXPECT_THAT(events, IsEmpty()) << "no handler sees it";
  EXPECT_EQ(figures().connections.refused.get(), 1u);

  one.raw().close();
  ASSERT_TRUE(turnUntil([&] { return events.size() == 1; }));
  settle();
  open();
}

TEST_F(AdmissionTest, ProtocolsWithoutAnAnswerAreDisconnected) {
  use(std::make_unique<PackageCodec>(Protocol::text()));
  limit({.connections = {.max = 1}});
  const WebSocketClient one = connectFrom();
  WebSocketClient two = connectFrom();
  EXPECT_EQ(last, nullptr);
  ASSERT_TRUE(turnUntil([&] { return two.ended(); }));
  EXPECT_THAT(events, ElementsAre("connect"));
  EXPECT_EQ(table.size(), 1u);
}

TEST_F(AdmissionTest, ADryRunCountsAndRefusesNothing) {
  limit({.connections = {.max = 1, .dryRun = true},
         .connectionsPerAddress = {.max = 1, .dryRun = true},
         .connectionsPerSecond = {.max = 1, .dryRun = true},
         .handshakes = {.max = 1, .dryRun = true}});
  std::vector<WebSocketClient> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(connectFrom());
  for (WebSocketClient& client : clients) EXPECT_EQ(statusOf(client), 101);
  for (const LimitCounter* each : {&figures().connections, &figures().connectionsPerAddress,
                                   &figures().connectionsPerSecond, &figures().handshakes}) {
    EXPECT_EQ(each->dryRun.get(), 2u);
    EXPECT_EQ(each->refused.get(), 0u);
  }
}

TEST_F(AdmissionTest, AnAddressWithTooManyConnectionsIsAnsweredWith429) {
  limit({.connectionsPerAddress = {.max = 2}});
  const WebSocketClient one = open("2001:db8::1");
  WebSocketClient two = open("2001:db8::2");
  WebSocketClient three = connectFrom("2001:db8::3");
  EXPECT_EQ(statusOf(three), 429);
  EXPECT_EQ(three.body(), "too many connections from this address\n");
  EXPECT_EQ(figures().connectionsPerAddress.refused.get(), 1u);
  open("2001:db8:0:1::1");
  two.raw().close();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 2; }));
  open("2001:db8::3");
}

TEST_F(AdmissionTest, ARefusedAddressDoesNotCountAmongAllConnections) {
  limit({.connections = {.max = 2}, .connectionsPerAddress = {.max = 1}});
  const WebSocketClient one = open("192.0.2.1");
  WebSocketClient refused = connectFrom("192.0.2.1");
  EXPECT_EQ(statusOf(refused), 429);
  WebSocketClient two = connectFrom("192.0.2.2");
  EXPECT_EQ(statusOf(two), 101);
}

TEST_F(AdmissionTest, BehindAProxyTheAddressInItsHeaderCounts) {
  trust({"10.0.0.0/8"});
  limit({.connectionsPerAddress = {.max = 1}});
  const std::string client = "X-Forwarded-For: 203.0.113.7\r\n";
  WebSocketClient one = connectFrom("10.0.0.1");
  EXPECT_EQ(statusOf(one, client), 101);
  WebSocketClient two = connectFrom("10.0.0.2");
  EXPECT_EQ(statusOf(two, client), 429);
  WebSocketClient other = connectFrom("10.0.0.1");
  EXPECT_EQ(statusOf(other, "X-Forwarded-For: 203.0.113.8\r\n"), 101);
  for (int i = 0; i < 3; ++i) {
    WebSocketClient own = connectFrom("10.0.0.1");
    EXPECT_EQ(statusOf(own), 101) << "the proxy itself is exempt";
  }
  one.raw().close();
  ASSERT_TRUE(turnUntil([&] {
    settle();
    return shared->addAddress(0, *addressKey(*Address::ip("203.0.113.7", 1))) == 1;
  }));
}

TEST_F(AdmissionTest, BehindAProxyTheAddressOfThePROXYHeaderCounts) {
  trust({"10.0.0.0/8"});
  limit({.connectionsPerAddress = {.max = 1}});
  std::vector<WebSocketClient> clients;
  for (const int status : {101, 429}) {
    clients.push_back(connectFrom("10.0.0.1", true));
    clients.back().raw().send("PROXY TCP4 203.0.113.7 192.0.2.1 4660 443\r\n");
    EXPECT_EQ(statusOf(clients.back()), status);
  }
  clients.push_back(connectFrom("10.0.0.1", true));
  clients.back().raw().send("PROXY TCP4 203.0.113.8 192.0.2.1 4660 443\r\n");
  EXPECT_EQ(statusOf(clients.back()), 101);
}

TEST_F(AdmissionTest, TooManyNewConnectionsAreAnsweredWith429) {
  static TimePoint now{1h};
  LoopImpl::of(loop).useClock([] { return now; });
  settle();
  limit({.connectionsPerSecond = {.max = 2}});
  const WebSocketClient one = open();
  const WebSocketClient two = open();
  WebSocketClient three = connectFrom();
  EXPECT_EQ(statusOf(three), 429);
  EXPECT_EQ(three.header("Retry-After"), "2");
  EXPECT_EQ(three.body(), "too many new connections\n");
  now += 500ms;
  settle();
  const WebSocketClient four = open();
  EXPECT_EQ(figures().connectionsPerSecond.refused.get(), 1u);
}

TEST_F(AdmissionTest, TheOldestHandshakeEndsForANewOne) {
  limit({.handshakes = {.max = 2}});
  WebSocketClient slow = connectFrom();
  slow.raw().send("GET / HT");
  settle();
  std::vector<WebSocketClient> others;
  for (int i = 0; i < 10; ++i) others.push_back(open());
  EXPECT_FALSE(slow.ended()) << "those that are open are no handshakes";
  WebSocketClient second = connectFrom();
  events.clear();
  WebSocketClient third = connectFrom();
  ASSERT_TRUE(turnUntil([&] { return slow.answered(); }));
  EXPECT_EQ(slow.status(), 503);
  EXPECT_EQ(slow.body(), "too many handshakes in progress\n");
  EXPECT_EQ(figures().handshakes.refused.get(), 1u);
  EXPECT_EQ(statusOf(third), 101);
  EXPECT_EQ(statusOf(second), 101);
  EXPECT_THAT(events, ElementsAre("connect", "close 1013"));
}

TEST_F(AdmissionTest, EachProcessHasAnEqualShareOfTheHandshakes) {
  limit({.handshakes = {.max = 4}}, 2);
  std::vector<WebSocketClient> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(connectFrom());
  ASSERT_TRUE(turnUntil([&] { return clients.front().answered(); }));
  EXPECT_EQ(clients.front().status(), 503);
  EXPECT_EQ(statusOf(clients.back()), 101);
}

TEST_F(AdmissionTest, WhereTooManyWaitForTheirAnswerOthersAreDisconnected) {
  limit({.connections = {.max = 1}});
  const WebSocketClient one = open();
  std::vector<WebSocketClient> refused;
  for (int i = 0; i < 256; ++i) refused.push_back(connectFrom());
  EXPECT_NE(last, nullptr);
  connectFrom();
  EXPECT_EQ(last, nullptr);
  EXPECT_EQ(figures().connections.refused.get(), 257u);
  refused.clear();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 1; }));
  WebSocketClient again = connectFrom();
  EXPECT_EQ(statusOf(again), 503);
}

TEST_F(AdmissionTest, OneConnectionTooManyOfAUserIsRefused) {
  limit({.connectionsPerUser = {.max = 2}});
  const auto enter = [&](const std::string& user) { return admission->enterUser(*last, user); };
  WebSocketClient one = open();
  EXPECT_TRUE(enter("ada"));
  EXPECT_TRUE(enter("ada")) << "it is counted once";
  const WebSocketClient two = open();
  EXPECT_TRUE(enter("ada"));
  const WebSocketClient three = open();
  EXPECT_FALSE(enter("ada"));
  EXPECT_TRUE(enter("bob"));
  EXPECT_EQ(figures().connectionsPerUser.refused.get(), 1u);

  one.raw().close();
  settle();
  const WebSocketClient four = open();
  EXPECT_TRUE(enter("ada"));
  const WebSocketClient five = open();
  EXPECT_FALSE(enter("ada"));
}

TEST_F(AdmissionTest, ADryRunOfUsersCountsAndRefusesNothing) {
  limit({.connectionsPerUser = {.max = 1, .dryRun = true}});
  const WebSocketClient one = open();
  EXPECT_TRUE(admission->enterUser(*last, "ada"));
  const WebSocketClient two = open();
  EXPECT_TRUE(admission->enterUser(*last, "ada"));
  EXPECT_EQ(figures().connectionsPerUser.dryRun.get(), 1u);
}

TEST_F(AdmissionTest, AConnectionThatCannotBeWatchedIsNotCounted) {
  limit({.connections = {.max = 1}, .connectionsPerAddress = {.max = 1}});
  LoopImpl::of(loop).refuseWatches(ENOSPC);
  test::SocketPair pair = test::unixPair();
  EXPECT_FALSE(table.accept(std::move(pair.tested), endpoint, *Address::ip("192.0.2.1", 1)).ok());
  LoopImpl::of(loop).refuseWatches(0);
  open();
}

}  // namespace
}  // namespace stormo::net
