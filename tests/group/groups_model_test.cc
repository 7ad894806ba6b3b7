// Random joins, leaves, sends and ends, within and across turns, against a model that keeps for
// each connection the bytes that it must receive.
#include <algorithm>
#include <random>
#include <set>

#include "group/group_fixture.h"
#include "net/codec/codec_session.h"

namespace stormo {
namespace {

using net::Connected;

/// Lines that end with the variant of their receiver.
class VariantLines final : public net::Codec {
 public:
  std::string_view name() const override { return "variant lines"; }
  void begin(net::CodecSession& session) const override { session.open(); }
  std::size_t receive(net::CodecSession&, std::span<char> bytes) const override {
    return bytes.size();
  }
  void encode(Message message, net::Variant variant, net::Batch& batch,
              net::OutputOrder& order) const override {
    batch.append(line(message.data, variant), order);
  }
  static std::string line(std::string_view text, net::Variant variant) {
    return std::string(text) + static_cast<char>('0' + variant) + '\n';
  }
};

class GroupsModelTest : public GroupsTest, public testing::WithParamInterface<unsigned> {
 protected:
  struct Member {
    Connected real;
    std::set<std::string> groups;  // "0a": group "a" of the first Groups
    net::Variant variant = net::kPlain;
    std::string expected = {};
    std::string received = {};
    bool reads = true;
    bool usable = true;
    bool cut = false;  // destroyed: the end of what is expected may be missing
  };

  void useVariants() {
    use(std::make_unique<VariantLines>());
    hasVariants_ = true;
  }

  void run(int turns) {
    for (int i = 0; i < 12; ++i) arrive();
    for (int i = 0; i < turns; ++i) {
      // Some operations between turns, some within one: the result must be the same.
      const int operations = pick(8);
      for (int k = 0; k < operations; ++k) operate();
      loop.defer([&, inside = pick(8)] {
        for (int k = 0; k < inside; ++k) operate();
      });
      turn();
      readAll();
      if (HasFatalFailure()) return;
    }
    drainToTheEnd();
  }

 private:
  int pick(std::size_t below) { return static_cast<int>(random_() % below); }
  Groups& groupsOf(const std::string& key) { return key[0] == '0' ? groups : others_; }
  std::string anyKey() {
    return {static_cast<char>('0' + pick(2)), static_cast<char>('a' + pick(4))};
  }

  void arrive() {
    auto pair = test::unixPair();
    if (pick(3) == 0) test::shrinkSendBuffer(pair.tested.get());
    members_.push_back(
        std::make_unique<Member>(Member{.real = accept(std::move(pair)), .groups = {}}));
    if (!hasVariants_) return;
    Member& made = *members_.back();
    made.variant = static_cast<net::Variant>(pick(3));
    net::ConnectionImpl::of(at(made.real)).out.variant = made.variant;
  }
  Member* anyUsable() {
    std::vector<Member*> usable;
    for (const auto& each : members_) {
      if (each->usable) usable.push_back(each.get());
    }
    return usable.empty() ? nullptr : usable[static_cast<std::size_t>(pick(usable.size()))];
  }
  [[nodiscard]] std::string lineFor(const Member& member, const std::string& text) const {
    return hasVariants_ ? VariantLines::line(text, member.variant) : text + '\n';
  }
  std::string anyText() {
    const std::string text = std::to_string(++messages_);
    return pick(3) == 0 ? text : text + std::string(static_cast<std::size_t>(pick(900)), '.');
  }

  void operate() {
    Member* member = anyUsable();
    if (member == nullptr) return arrive();
    Connection& connection = at(member->real);
    const std::string key = anyKey();
    const std::string_view name = std::string_view(key).substr(1);
    switch (pick(20)) {
      case 0:
        if (members_.size() < 40) arrive();
        return;
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
        EXPECT_EQ(groupsOf(key).join(connection, name), member->groups.insert(key).second);
        return;
      case 6:
      case 7:
        EXPECT_EQ(groupsOf(key).leave(connection, name), member->groups.erase(key) > 0);
        return;
      case 8:
      case 9:
      case 10:
      case 11:
      case 12:
        return sendToGroup(key, nullptr);
      case 13:
      case 14:
        return sendToGroup(key, member);
      case 15:
      case 16:
      case 17: {
        const std::string text = anyText();
        (void)connection.send(text);
        member->expected += lineFor(*member, text);
        return;
      }
      case 18:
        member->reads = !member->reads;
        return;
      default:
        if (pick(4) != 0) return;
        end(*member);
    }
  }

  void sendToGroup(const std::string& key, Member* except) {
    const std::string text = anyText();
    std::size_t receivers = 0;
    for (const auto& each : members_) {
      if (!each->usable || each.get() == except || !each->groups.contains(key)) continue;
      each->expected += lineFor(*each, text);
      ++receivers;
    }
    const std::string_view name = std::string_view(key).substr(1);
    const std::size_t sent = except == nullptr
                                 ? groupsOf(key).send(name, text)
                                 : groupsOf(key).sendExcept(name, text, at(except->real));
    ASSERT_EQ(sent, receivers);
  }

  void end(Member& member) {
    Connection& connection = at(member.real);
    member.usable = false;
    member.groups.clear();
    if (pick(2) == 0) return connection.close();
    member.cut = true;
    connection.destroy();
  }

  void read(Member& member) {
    member.received += member.real.peer.take();
    const std::string_view begin =
        std::string_view(member.expected).substr(0, member.received.size());
    ASSERT_EQ(member.received, begin);
  }
  void readAll() {
    for (const auto& each : members_) {
      if (each->reads) read(*each);
    }
  }

  void drainToTheEnd() {
    ASSERT_TRUE(turnUntil([&] {
      bool done = true;
      for (const auto& each : members_) {
        read(*each);
        done = done && (each->cut || each->received.size() == each->expected.size()) &&
               (each->usable || each->real.peer.ended());
      }
      return done || HasFatalFailure();
    }));
    for (const auto& each : members_) {
      EXPECT_EQ(each->usable, table.find(each->real.id) != nullptr);
      each->real.peer.close();
    }
    ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
    EXPECT_EQ(groups.groupCount() + others_.groupCount(), 0u);
    EXPECT_EQ(counters().groups.get(), 0u);
  }

  Groups others_;
  std::mt19937 random_{GetParam()};
  std::vector<std::unique_ptr<Member>> members_;
  int messages_ = 0;
  bool hasVariants_ = false;
};

TEST_P(GroupsModelTest, EachMemberGetsEachMessageOnceAndInOrder) { run(300); }

TEST_P(GroupsModelTest, EachMemberGetsEachMessageInItsVariant) {
  useVariants();
  run(300);
}

INSTANTIATE_TEST_SUITE_P(Seeds, GroupsModelTest, testing::Range(1u, 21u));

}  // namespace
}  // namespace stormo
