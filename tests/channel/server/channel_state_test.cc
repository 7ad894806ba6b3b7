#include "channel/server/channel_state.h"

#include <gmock/gmock.h>
#include <stormo/value.h>

#include <string>
#include <vector>

#include "protocol/php/serialize.h"

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kEpoch = 7;
constexpr std::uint64_t kProducer = 11;

Packet groupPublish(std::uint64_t sequence, std::string_view group, std::string_view text) {
  return {.kind = Kind::Publish,
          .payloadKind = PayloadKind::Text,
          .space = Space::Groups,
          .sequence = sequence,
          .channel = group,
          .payload = text};
}

struct Origin {
  NodeId node = 0;
  std::uint64_t time = 0;  // 0: a little after the one before
};

/// Reports as texts.
class Observer final : public StateObserver {
 public:
  void onEvent(const Packet&, std::string_view) override {}
  void onEventToOne(const Packet& event) override {
    reports.push_back("to one: " + std::string(event.payload));
  }
  void onJobWaiting(std::uint64_t number, std::string_view queue) override {
    reports.push_back("waiting " + std::to_string(number) + " in " + std::string(queue));
  }
  void onJobHanded(std::uint64_t number, const JobStore::Job& job) override {
    reports.push_back("handed " + std::to_string(number) + " to " + std::to_string(job.consumer));
  }
  void onJobMissed(ConsumerId consumer) override {
    reports.push_back("missed by " + std::to_string(consumer));
  }
  void onRejected(std::uint64_t, std::uint64_t, std::string_view) override {}
  void onReceipt(std::uint64_t, const Packet&, std::uint64_t, bool) override {}
  void onJobLeft(std::uint64_t lease, ConsumerId consumer) override {
    reports.push_back("left " + std::to_string(lease) + " by " + std::to_string(consumer));
  }

  void onNodeGone(NodeId) override {}

  std::vector<std::string> reports;
};

/// A log in memory: the records of the test, by their offset.
class ChannelStateTest : public testing::Test {
 protected:
  void apply(const Packet& packet, std::uint64_t producer = kProducer, const Origin& origin = {}) {
    const std::string frame = encode(packet);
    std::string record;
    appendRecord({.time = origin.time == 0 ? 1000 + records.size() : origin.time,
                  .producerId = producer,
                  .packet = std::string_view(frame).substr(4)},
                 record);
    records.push_back(record);
    state.apply(records.size(), record, origin.node);
  }
  // Each kind of record that makes no event, one, or two.
  void applyAll() {
    std::string value;
    php::serialize(Value::array({{"group_id", "123"}, {"message", "derived"}}), value);
    apply(groupPublish(1, "123", "a"));
    apply(groupPublish(1, "123", "a"));  // a duplicate
    apply({.kind = Kind::Publish, .sequence = 2, .channel = "send_to_group", .payload = value});
    apply({.kind = Kind::Publish, .loop = true, .sequence = 3, .channel = "one", .payload = value});
    apply({.kind = Kind::Enqueue, .sequence = 4, .channel = "queue", .payload = value});
    for (const std::uint64_t sequence : {5, 6}) {  // the second is the session's duplicate
      apply({.kind = Kind::IdempotentPublish,
             .payloadKind = PayloadKind::Text,
             .space = Space::Groups,
             .sequence = sequence,
             .session = 77,
             .sendNumber = 1,
             .channel = "123",
             .payload = "b"});
    }
    apply({.kind = Kind::Rejected, .sequence = 7, .payload = "no"});
    apply(groupPublish(8, "456", "c"));
    apply(groupPublish(8, "456", "c"));
  }
  [[nodiscard]] static std::string saved(const ChannelState& from) {
    std::string bytes;
    StateWriter out([&](std::string_view piece) { bytes += piece; });
    from.save(out);
    out.flush();
    return bytes;
  }
  // Restores the state, and recalls the records from `first` on.
  void restoreInto(ChannelState& other, std::uint64_t first) {
    const std::string bytes = saved(state);
    StateReader in(bytes);
    ASSERT_TRUE(other.restore(in));
    for (std::uint64_t offset = first; offset <= records.size(); ++offset) {
      other.recall(offset, records[offset - 1]);
    }
    other.begin(kEpoch);
  }
  static std::vector<std::string> events(const ChannelState& of, std::uint64_t from = 1) {
    std::vector<std::string> frames;
    of.window().visitFrom(from, [&](std::string_view frame) {
      frames.emplace_back(frame);
      return true;
    });
    return frames;
  }

  ChannelStateTest() { state.begin(kEpoch); }

  const Server settings;
  ChannelState state{settings};
  std::vector<std::string> records;
};

TEST_F(ChannelStateTest, RecallsTheEventsOfItsWindowFromTheLog) {
  applyAll();
  EXPECT_EQ(events(state).size(), 5u);
  EXPECT_EQ(state.recallFrom(), 1u);
  ChannelState other(settings);
  restoreInto(other, 1);
  EXPECT_EQ(events(other), events(state));
  EXPECT_TRUE(other.window().reaches(0));
  EXPECT_EQ(other.offset(), state.offset());
  EXPECT_EQ(other.time(), state.time());
  EXPECT_EQ(other.recallFrom(), state.recallFrom());
  EXPECT_EQ(saved(other), saved(state));
}

TEST_F(ChannelStateTest, ReachesAsFarAsTheLogDoes) {
  applyAll();
  ChannelState other(settings);
  restoreInto(other, 4);
  EXPECT_EQ(events(other), events(state, 4));
  EXPECT_FALSE(other.window().reaches(2));
  EXPECT_TRUE(other.window().reaches(3));
}

TEST_F(ChannelStateTest, ReachesNothingIfTheLogHasLostIt) {
  applyAll();
  ChannelState other(settings);
  restoreInto(other, records.size() + 1);
  EXPECT_THAT(events(other), IsEmpty());
  EXPECT_FALSE(other.window().reaches(records.size() - 1));
  EXPECT_TRUE(other.window().reaches(records.size()));
}

TEST_F(ChannelStateTest, WhatTheWindowHadForgottenIsNotRecalled) {
  applyAll();
  const std::uint64_t before = records.size();
  state.begin(kEpoch + 1);
  ASSERT_THAT(events(state), IsEmpty());
  apply(groupPublish(100, "123", "new"));
  ChannelState other(settings);
  const std::string bytes = saved(state);
  StateReader in(bytes);
  ASSERT_TRUE(other.restore(in));
  EXPECT_EQ(other.recallFrom(), before + 1);
  for (std::uint64_t offset = 1; offset <= records.size(); ++offset) {
    other.recall(offset, records[offset - 1]);
  }
  EXPECT_EQ(events(other), events(state));
  EXPECT_FALSE(other.window().reaches(before - 1));
  EXPECT_TRUE(other.window().reaches(before));
}

TEST_F(ChannelStateTest, RecalledEventsAreAsOldAsTheyWere) {
  const auto ageMax = static_cast<std::uint64_t>(settings.replayAgeMax.count());
  apply(groupPublish(1, "123", "a"), kProducer, {.time = 1000});
  apply({.kind = Kind::Rejected, .sequence = 2, .payload = "no"}, kProducer, {.time = ageMax});
  ChannelState other(settings);
  restoreInto(other, 1);
  EXPECT_EQ(other.time(), ageMax);
  EXPECT_EQ(events(other).size(), 1u);
  apply({.kind = Kind::Rejected, .sequence = 3, .payload = "no"}, kProducer,
        {.time = 1001 + ageMax});
  other.apply(records.size(), records.back(), 0);
  EXPECT_THAT(events(state), IsEmpty());
  EXPECT_THAT(events(other), IsEmpty());
}

TEST_F(ChannelStateTest, AWindowWithoutEventsRecallsNothing) {
  apply({.kind = Kind::Rejected, .sequence = 1, .payload = "no"});
  ChannelState other(settings);
  restoreInto(other, records.size() + 1);
  EXPECT_TRUE(other.window().reaches(0));
  EXPECT_GT(state.recallFrom(), records.size());
}

TEST_F(ChannelStateTest, IsAsNewIfItCannotBeRestored) {
  applyAll();
  const std::string bytes = saved(state);
  for (std::size_t kept = 0; kept < bytes.size(); ++kept) {
    SCOPED_TRACE(kept);
    ChannelState other(settings);
    const ChannelState fresh(settings);
    StateReader in(std::string_view(bytes).substr(0, kept));
    ASSERT_FALSE(other.restore(in));
    EXPECT_EQ(saved(other), saved(fresh));
  }
}

TEST_F(ChannelStateTest, TimeDoesNotGoBackWhenTheClocksOfNodesDiffer) {
  apply(groupPublish(1, "123", "a"), kProducer, {.node = 1, .time = 5000});
  apply(groupPublish(2, "123", "b"), kProducer, {.node = 2, .time = 4000});
  EXPECT_EQ(state.time(), 5000u);
  ChannelState other(settings);
  restoreInto(other, 1);
  EXPECT_EQ(other.time(), 5000u);
  apply(groupPublish(3, "123", "c"), kProducer, {.node = 2, .time = 6000});
  EXPECT_EQ(state.time(), 6000u);
}

TEST_F(ChannelStateTest, JobsOfANodeThatIsGoneWaitInTheirOrder) {
  for (int i = 0; i < 4; ++i) apply({.kind = Kind::Enqueue, .channel = "queue"});  // 1 to 4
  const auto hand = [this](std::uint64_t number, NodeId node) {
    apply({.kind = Kind::Job, .job = number, .channel = "queue"}, 70 + number, {.node = node});
  };
  hand(3, 2);  // leases 5 to 7
  hand(1, 2);
  hand(2, 1);
  ChannelState other(settings);
  restoreInto(other, records.size() + 1);  // the owners are saved
  for (ChannelState* each : {&state, &other}) {
    Observer observer;
    each->observe(&observer, 1);
    each->nodeGone(2);
    each->nodeGone(2);
    EXPECT_THAT(observer.reports, ElementsAre("left 6 by 71", "waiting 1 in queue", "left 5 by 73",
                                              "waiting 3 in queue"));
    EXPECT_EQ(each->jobs().find(2)->consumer, 72u);
    EXPECT_EQ(each->jobs().held(5), nullptr);
    each->observe(nullptr);
  }
  EXPECT_EQ(saved(other), saved(state));
}

TEST_F(ChannelStateTest, AJobThatAnotherNodeHandedFirstIsReportedAsMissed) {
  Observer observer;
  state.observe(&observer, 1);
  const Packet job{.kind = Kind::Job, .job = 1, .channel = "queue"};
  apply({.kind = Kind::Enqueue, .channel = "queue"});
  apply(job, 71, {.node = 2});
  apply(job, 72, {.node = 1});
  apply(job, 73, {.node = 2});
  EXPECT_THAT(observer.reports,
              ElementsAre("waiting 1 in queue", "handed 1 to 71", "missed by 72"));
  state.observe(nullptr);
}

}  // namespace
}  // namespace stormo::channel
