// Members that do not keep up, in groups whose messages may be dropped for them.
#include <map>
#include <random>
#include <sstream>

#include "group/group_fixture.h"
#include "net/tls/tls_context.h"
#include "support/tls_peer.h"
#include "support/websocket_client.h"

namespace stormo {
namespace {

using net::Connected;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

class GroupsLossyTest : public GroupsTest {
 protected:
  GroupsLossyTest() {
    groups.setSlowRules({{"latest*", SlowPolicy::Latest},
                         {"oldest*", SlowPolicy::DropOldest},
                         {"newest*", SlowPolicy::DropNewest},
                         {"cut*", SlowPolicy::Disconnect}},
                        [](std::string_view group, std::uint64_t count) {
                          return "missed " + std::to_string(count) + " of " + std::string(group);
                        });
    endpoint.sendQueueBytesMax = 50'000;
  }

  Connected narrow(std::initializer_list<std::string_view> names) {
    auto pair = test::unixPair();
    test::shrinkSendBuffer(pair.tested.get());
    Connected made = acceptQuietly(std::move(pair));
    for (const auto name : names) groups.join(at(made), name);
    return made;
  }
  /// Sends lines that are no group's until the kernel takes no more, and returns them.
  std::string fill(Connected& slow) {
    std::string sent;
    while (at(slow).sendQueueBytes() == 0) {
      const std::string text(2000, 'f');
      EXPECT_EQ(at(slow).send(text), SendStatus::Queued);
      sent += text + '\n';
      turn();
    }
    return sent;
  }
  /// The lines of all that a connection has received when its queue is empty; of large ones the
  /// part before the first dot.
  std::vector<std::string> linesOf(Connected& of, const std::string& after = {}) {
    EXPECT_TRUE(turnUntil([&] { return of.peer.receive(), at(of).sendQueueBytes() == 0; }));
    settle();
    const std::string all = of.peer.take();
    EXPECT_TRUE(all.starts_with(after));
    std::istringstream rest(all.substr(std::min(all.size(), after.size())));
    std::vector<std::string> lines;
    for (std::string line; std::getline(rest, line);)
      lines.push_back(line.substr(0, line.find("..")));
    return lines;
  }
  /// The counters of the rule with that pattern.
  const SlowRuleCounters& rule(std::string_view pattern) {
    for (const SlowRuleCounters& each : counters().slowRules) {
      if (each.groups == pattern) return each;
    }
    throw std::logic_error("no such rule");
  }
};

TEST_F(GroupsLossyTest, LatestKeepsTheNewestMessageOfEachGroup) {
  Connected slow = narrow({"latest.a", "latest.b"});
  Connected quick = member({"latest.a", "latest.b"});
  const std::string before = fill(slow);
  for (int i = 1; i <= 3; ++i) {
    groups.send("latest.a", large("a" + std::to_string(i)));
    groups.send("latest.b", "b" + std::to_string(i));
    if (i == 2) turn();  // within one turn and over several ones
  }
  turn();
  EXPECT_THAT(linesOf(slow, before),
              ElementsAre("missed 2 of latest.a", "missed 2 of latest.b", "a3", "b3"));
  EXPECT_THAT(linesOf(quick), ElementsAre("a1", "b1", "a2", "b2", "a3", "b3"));
  EXPECT_EQ(rule("latest*").dropped.get(), 4u);
  EXPECT_THAT(events, IsEmpty());
  groups.send("latest.a", "again");
  turn();
  EXPECT_THAT(linesOf(slow), ElementsAre("again"));
}

TEST_F(GroupsLossyTest, DropOldestDropsTheOldestMessagesThatDoNotFit) {
  Connected slow = narrow({"oldest"});
  const std::string before = fill(slow);
  for (int i = 1; i <= 200; ++i) {
    groups.send("oldest", large(std::to_string(i)));
    turn();
    ASSERT_LE(at(slow).sendQueueBytes(), endpoint.sendQueueBytesMax);
  }
  const auto lines = linesOf(slow, before);
  ASSERT_GT(lines.size(), 20u);
  const std::size_t missed = 200 - (lines.size() - 1);
  EXPECT_EQ(lines[0], "missed " + std::to_string(missed) + " of oldest");
  for (std::size_t i = 1; i < lines.size(); ++i) EXPECT_EQ(lines[i], std::to_string(missed + i));
  EXPECT_EQ(rule("oldest*").dropped.get(), missed);
}

TEST_F(GroupsLossyTest, DropNewestDropsWhatDoesNotFit) {
  Connected slow = narrow({"newest"});
  const std::string before = fill(slow);
  for (int i = 1; i <= 200; ++i) {
    groups.send("newest", large(std::to_string(i)));
    turn();
  }
  const auto lines = linesOf(slow, before);
  ASSERT_GT(lines.size(), 20u);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) EXPECT_EQ(lines[i], std::to_string(i + 1));
  EXPECT_EQ(lines.back(), "missed " + std::to_string(200 - (lines.size() - 1)) + " of newest");
}

TEST_F(GroupsLossyTest, WithoutNoticesMessagesAreDroppedSilentlyAndCounted) {
  Groups silent;
  silent.setSlowRules({{"*", SlowPolicy::Latest}});
  Connected slow = narrow({});
  silent.join(at(slow), "x");
  const std::string before = fill(slow);
  for (int i = 0; i < 5; ++i) silent.send("x", std::to_string(i));
  turn();
  EXPECT_THAT(linesOf(slow, before), ElementsAre("4"));
  EXPECT_EQ(rule("*").dropped.get(), 4u);
}

TEST_F(GroupsLossyTest, DroppableMessagesMakeRoomForOthersAndRepliesAreNeverFullBecauseOfThem) {
  Connected slow = narrow({"oldest", "newest", "all"});
  const std::string before = fill(slow);
  for (int i = 0; i < 200; ++i) groups.send(i % 2 == 0 ? "oldest" : "newest", large("x"));
  turn();
  ASSERT_GT(at(slow).sendQueueBytes(), endpoint.sendQueueBytesMax * 3 / 4);
  for (int i = 0; i < 20; ++i) {
    groups.send("all", large("all" + std::to_string(i)));
    ASSERT_EQ(at(slow).send(large("reply" + std::to_string(i))), SendStatus::Queued);
    turn();
    ASSERT_LE(at(slow).sendQueueBytes(), endpoint.sendQueueBytesMax + 1300);
  }
  std::vector<std::string> kept;
  for (const std::string& line : linesOf(slow, before)) {
    if (!line.starts_with("x") && !line.starts_with("missed")) kept.push_back(line);
  }
  ASSERT_THAT(kept, SizeIs(40));
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(kept[2 * i], "all" + std::to_string(i));
    EXPECT_EQ(kept[2 * i + 1], "reply" + std::to_string(i));
  }
  EXPECT_EQ(counters().slowClosed.get(), 0u);
}

TEST_F(GroupsLossyTest, AMemberThatDoesNotDrainMessagesThatMayNotBeDroppedIsClosed) {
  Connected slow = narrow({"latest", "cut"});
  fill(slow);
  for (int i = 0; table.find(slow.id) != nullptr; ++i) {
    ASSERT_LT(i, 1000);
    groups.send("latest", large("x"));
    groups.send("cut", large("y"));
    turn();
  }
  EXPECT_EQ(counters().slowClosed.get(), 1u);
  EXPECT_EQ(rule("cut*").disconnected.get(), 1u);
  settle();
  EXPECT_EQ(SharedBuffer::heldBytes(), 0u);
}

TEST_F(GroupsLossyTest, AMemberThatNeverReadsHoldsLittleMemory) {
  Connected slow = narrow({"latest", "oldest", "newest"});
  fill(slow);
  for (int i = 0; i < 30'000; ++i) {
    for (const char* name : {"latest", "oldest", "newest"}) groups.send(name, "");
    if (i % 100 == 0) groups.send("oldest", std::string(20'000, 'x'));
    if (i % 10 == 0) turn();
    ASSERT_LT(SharedBuffer::heldBytes(), 4 * endpoint.sendQueueBytesMax);
  }
  EXPECT_NE(table.find(slow.id), nullptr);
  EXPECT_LE(at(slow).sendQueueBytes(), endpoint.sendQueueBytesMax);
}

TEST_F(GroupsLossyTest, AClosingMemberGetsWhatIsQueuedFirst) {
  Connected slow = narrow({"latest"});
  const std::string before = fill(slow);
  groups.send("latest", "1");
  groups.send("latest", "2");
  turn();
  at(slow).close();
  groups.send("latest", "3");
  ASSERT_TRUE(turnUntil([&] { return slow.peer.ended(); }));
  EXPECT_EQ(slow.peer.take(), before + "missed 1 of latest\n2\n");
}

TEST_F(GroupsLossyTest, MessagesOutliveTheirGroupAndItsGroups) {
  auto others = std::make_unique<Groups>();
  others->setSlowRules({{"*", SlowPolicy::DropOldest}}, [](auto group, auto count) {
    return std::string(group) + std::to_string(count);
  });
  Connected slow = narrow({});
  others->join(at(slow), "gone");
  const std::string before = fill(slow);
  for (int i = 0; i < 200; ++i) others->send("gone", large(std::to_string(i)));
  turn();
  others.reset();
  const auto lines = linesOf(slow, before);
  EXPECT_EQ(lines.front(), "gone" + std::to_string(200 - (lines.size() - 1)));
  EXPECT_EQ(lines.back(), "199");
}

/// Random messages to random groups, read by slow members at random.
TEST_F(GroupsLossyTest, EveryMissingMessageIsReportedInItsPlaceAndTheOrderNeverChanges) {
  const std::vector<std::string> names = {"latest1", "latest2", "oldest1", "oldest2",
                                          "newest1", "newest2", "kept"};
  std::mt19937 random(7);
  std::vector<Connected> members;
  for (int i = 0; i < 4; ++i) {
    members.push_back(i == 3 ? member({}) : narrow({}));
    for (const std::string& name : names) groups.join(at(members.back()), name);
  }
  std::map<std::string, std::vector<int>> sent;
  for (int i = 0; i < 20'000; ++i) {
    const std::string& name = names[random() % (random() % 50 == 0 ? 7 : 6)];
    sent[name].push_back(i);
    groups.send(name, name + " " + std::to_string(i) + " " +
                          std::string(random() % 20 == 0 ? random() % 9000 : random() % 40, '.'));
    if (random() % 3 == 0) turn();
    for (Connected& each : members) {
      if (random() % 8 == 0) each.peer.receive(random() % 4000);
    }
    members[3].peer.receive();
  }
  for (Connected& each : members) {
    ASSERT_TRUE(turnUntil([&] { return each.peer.receive(), at(each).sendQueueBytes() == 0; }));
    settle();
    std::map<std::string, std::size_t> position;  // in sent[name]
    std::istringstream received(each.peer.take());
    int latest = -1;
    std::size_t missedInAll = 0;
    for (std::string line; std::getline(received, line);) {
      std::istringstream words(line);
      std::string name;
      words >> name;
      if (name == "missed") {
        std::size_t count = 0;
        words >> count >> name >> name;
        position[name] += count;
        missedInAll += count;
        continue;
      }
      int number = 0;
      words >> number;
      ASSERT_LT(position[name], sent[name].size());
      EXPECT_EQ(number, sent[name][position[name]++]);
      EXPECT_GT(number, latest);
      latest = number;
    }
    for (const std::string& name : names) EXPECT_EQ(position[name], sent[name].size()) << name;
    EXPECT_EQ(missedInAll > 0, &each != &members[3]);
  }
  EXPECT_EQ(counters().slowClosed.get(), 0u);
}

TEST_F(GroupsLossyTest, RulesAreCheckedAndSetBeforeTheFirstJoin) {
  EXPECT_THROW(groups.setSlowRules({{"", SlowPolicy::Latest}}), std::invalid_argument);
  EXPECT_THROW(groups.setSlowRules({{"a", SlowPolicy::DropOldest, 5ms}}), std::invalid_argument);
  EXPECT_THROW(groups.setSlowRules(std::vector<SlowRule>(33, {"a"})), std::invalid_argument);
  Connected one = member({"a"});
  EXPECT_THROW(groups.setSlowRules({}), std::logic_error);
}

TEST_F(GroupsLossyTest, AWebSocketMemberThatIsTooSlowIsClosedWith1013) {
  use(std::make_unique<net::WebSocketCodec>(WebSocketOptions{}));
  Connected slow = narrow({"cut"});
  test::WebSocketClient client(std::move(slow.peer));
  client.sendHandshake();
  ASSERT_TRUE(turnUntil([&] { return client.isOpen(); }));
  std::size_t sent = 0;
  for (; table.find(slow.id) != nullptr; ++sent) {
    groups.send("cut", large(std::to_string(sent)));
    turn();
  }
  std::vector<test::WebSocketClient::Frame> frames;
  ASSERT_TRUE(turnUntil([&] {
    for (auto& each : client.all()) frames.push_back(std::move(each));
    return !frames.empty() && frames.back().opcode == websocket::Opcode::Close;
  }));
  EXPECT_EQ(frames.size(), sent + 1);  // it has missed nothing before
  EXPECT_EQ(test::WebSocketClient::closeCode(frames.back()), CloseCode::TryAgainLater);
  EXPECT_EQ(test::WebSocketClient::closeReason(frames.back()), "this client reads too slowly");
  EXPECT_EQ(rule("cut*").disconnected.get(), 1u);
}

TEST_F(GroupsLossyTest, ADeflateMemberMissesWholeMessages) {
  use(std::make_unique<net::WebSocketCodec>(
      WebSocketOptions{.deflate = {.enabled = true}},
      [this](Connection& connection, WebSocketHandshake&) { groups.join(connection, "latest"); }));
  std::vector<test::WebSocketClient> clients;
  std::vector<ConnectionId> ids;
  for (const std::string offer :
       {"", "permessage-deflate", "permessage-deflate; server_max_window_bits=9"}) {
    Connected made = narrow({});
    ids.push_back(made.id);
    clients.emplace_back(std::move(made.peer));
    clients.back().sendHandshake(
        "/", offer.empty() ? "" : "Sec-WebSocket-Extensions: " + offer + "\r\n");
    ASSERT_TRUE(turnUntil([&] { return clients.back().isOpen(); }));
  }
  std::mt19937 random(1);
  std::string text;
  for (int i = 0; i < 400; ++i) {
    text = "number " + std::to_string(i) + ' ';
    for (int j = 0; j < 300; ++j) text += std::to_string(random());
    groups.send("latest", text);
    turn();
  }
  for (std::size_t i = 0; i < clients.size(); ++i) {
    std::vector<std::string> received;
    ASSERT_TRUE(turnUntil([&] {
      for (auto& each : clients[i].messages()) received.push_back(std::move(each));
      return !received.empty() && received.back() == text;
    }));
    EXPECT_LT(received.size(), 400u);
    std::size_t number = 0;
    for (const std::string& each : received) {
      std::size_t count = 0;
      if (std::sscanf(each.c_str(), "missed %zu", &count) == 1) {
        number += count;
      } else {
        EXPECT_TRUE(each.starts_with("number " + std::to_string(number++) + ' '));
      }
    }
    EXPECT_EQ(number, 400u);
  }
}

TEST_F(GroupsLossyTest, AMemberOverTlsMissesWholeMessages) {
  test::TempDirectory directory;
  endpoint.tls = net::TlsContext::ofServer(
      net::TlsMaterial::read({.certificates = {test::makeCertificate(directory)}}));
  Connected slow = acceptQuietly(test::tcpPair());
  auto tls = std::make_unique<test::TlsPeer>(slow.peer.fd());
  ASSERT_TRUE(turnUntil([&] { return tls->shakeHands(); }));
  groups.join(at(slow), "latest");
  int sent = 0;
  const std::string rest(20'000, '.');
  while (rule("latest*").dropped.get() < 50) {
    ASSERT_LT(sent, 100'000);
    groups.send("latest", "number " + std::to_string(sent++) + rest);
    turn();
  }
  std::string received;
  const std::string last = "number " + std::to_string(sent - 1) + rest + '\n';
  ASSERT_TRUE(turnUntil([&] { return (received += tls->take()).ends_with(last); }));
  std::istringstream lines(received);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    int count = 0;
    if (std::sscanf(line.c_str(), "missed %d", &count) == 1) {
      number += count;
    } else {
      EXPECT_EQ(line, "number " + std::to_string(number++) + rest);
    }
  }
  EXPECT_EQ(number, sent);
}

}  // namespace
}  // namespace stormo
