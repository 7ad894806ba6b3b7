// Groups under load: nothing lost, nothing duplicated, one order for all.
#include <map>

#include "integration/harness/with_stormo.h"

namespace stormo::integration {
namespace {

constexpr std::size_t kClients = 200;
constexpr std::size_t kGroups = 10;
constexpr std::size_t kMembers = kClients / kGroups;
constexpr std::size_t kSends = 20'000;
// Maximum number of messages in flight: it keeps any machine busy without a growing queue.
constexpr std::size_t kSendsUnderway = 500;

class ManyMessages : public WithStormo {
 protected:
  static std::string groupOf(std::size_t client) {
    return "group " + std::to_string(client % kGroups);
  }

  /// Message n: each client in turn sends, to each group in turn.
  struct Send {
    std::size_t publisher;
    std::size_t group;
    std::string text;
  };
  static Send sendOf(std::size_t n) {
    const std::size_t publisher = n % kClients;
    const std::size_t group = (publisher + n / kClients) % kGroups;
    return {publisher, group, std::to_string(publisher) + ' ' + std::to_string(n)};
  }

  void expectEveryWorkerHasSome(const std::vector<Id>& all) {
    std::map<pid_t, std::size_t> clientsOf;
    for (const pid_t worker : workersOf(stormo, clients(), all)) ++clientsOf[worker];
    EXPECT_EQ(clientsOf.size(), 4u);
    for (const auto& [worker, count] : clientsOf) EXPECT_GE(count, 10u) << "worker " << worker;
  }
};

TEST_F(ManyMessages, TwentyThousandMessagesReachTwentyMembersOnceAndInOneOrder) {
  startStormo({"--workers", "4"});
  const std::vector<Id> all = clients().connect(kClients);
  expectEveryWorkerHasSome(all);
  clients().joinAll(all, groupOf);

  std::size_t sent = 0;
  std::size_t delivered = 0;
  clients().onMessage = [&](Id, const SwarmClient::Received&) { ++delivered; };
  clients().runUntil("all deliveries", [&] {
    for (; sent < kSends && sent - delivered / kMembers < kSendsUnderway; ++sent) {
      const Send send = sendOf(sent);
      clients().sendToGroup(all[send.publisher], "group " + std::to_string(send.group), send.text);
    }
    return delivered >= kSends * kMembers;
  });
  clients().onMessage = nullptr;
  clients().settle(all);  // a duplicate would have arrived by now

  for (std::size_t group = 0; group < kGroups; ++group) {
    const Texts texts = clients()[all[group]].texts();
    for (std::size_t other = group; other < kClients; other += kGroups) {
      ASSERT_TRUE(clients()[all[other]].texts() == texts)
          << "members " << group << " and " << other
          << " did not receive the same in the same order";
    }
    std::map<std::string, std::vector<std::size_t>> byPublisher;
    for (const std::string& text : texts) {
      const std::size_t space = text.find(' ');
      byPublisher[text.substr(0, space)].push_back(std::stoul(text.substr(space + 1)));
    }
    std::map<std::string, std::vector<std::size_t>> expected;
    for (std::size_t n = 0; n < kSends; ++n) {
      const Send send = sendOf(n);
      if (send.group == group) expected[std::to_string(send.publisher)].push_back(n);
    }
    EXPECT_TRUE(byPublisher == expected) << "group " << group;
  }
}

TEST_F(ManyMessages, ABurstArrivesCompleteAndInOrder) {
  startStormo({"--workers", "4"});
  const std::vector<Id> members = clients().connect(20);
  clients().joinAll(members, [](std::size_t) { return "all"; });
  Texts expected;
  for (int i = 0; i < 2000; ++i) {
    expected.push_back(std::to_string(i));
    clients().sendToGroup(members[0], "all", expected.back());  // all at once, without waiting
  }
  for (const Id id : members) clients().waitForMessages(id, expected.size());
  clients().settle(members);
  for (const Id id : members) EXPECT_TRUE(clients()[id].texts() == expected);
}

}  // namespace
}  // namespace stormo::integration
