#include "channel/server/channel_state.h"

#include <gmock/gmock.h>
#include <stormo/value.h>

#include <string>
#include <vector>

#include "protocol/php/serialize.h"

namespace stormo::channel {
namespace {

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

/// A log in memory: the records of the test, by their offset.
class ChannelStateTest : public testing::Test {
 protected:
  void apply(const Packet& packet, std::uint64_t producer = kProducer) {
    const std::string frame = encode(packet);
    std::string record;
    appendRecord({.time = 1000 + records.size(),
                  .producerId = producer,
                  .packet = std::string_view(frame).substr(4)},
                 record);
    records.push_back(record);
    state.apply(records.size(), record, 0);
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

}  // namespace
}  // namespace stormo::channel
