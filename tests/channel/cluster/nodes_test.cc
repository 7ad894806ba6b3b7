#include "channel/cluster/nodes.h"

#include <gtest/gtest.h>

#include <string>

#include "channel/log/state_stream.h"

namespace stormo::channel {
namespace {

using Verdict = Nodes::Verdict;

class NodesTest : public testing::Test {
 protected:
  Verdict start(NodeId node, std::uint64_t incarnation) {
    return nodes.take(
        {.kind = BatchKind::Start, .node = node, .incarnation = incarnation, .body = "name"},
        ++sequence);
  }
  Verdict records(NodeId node, std::uint64_t incarnation, std::uint64_t number) {
    return nodes.take({.node = node, .incarnation = incarnation, .number = number}, ++sequence);
  }
  Verdict part(NodeId node, std::uint64_t number, std::string_view body) {
    return nodes.take(
        {.kind = BatchKind::Part, .node = node, .incarnation = 1, .number = number, .body = body},
        ++sequence);
  }
  /// True if it has ended the node.
  bool gone(NodeId by, std::uint64_t number, const GoneNode& which) {
    const std::string body = encodeGone(which);
    EXPECT_EQ(
        nodes.take(
            {.kind = BatchKind::Gone, .node = by, .incarnation = 1, .number = number, .body = body},
            ++sequence),
        Verdict::Counts);
    return nodes.hasEnded(which, sequence);
  }

  Nodes nodes;
  std::uint64_t sequence = 0;
};

TEST_F(NodesTest, BatchesCountInTheOrderOfTheirNumbersAndOnce) {
  EXPECT_EQ(records(1, 1, 1), Verdict::Repeated) << "it has not started";
  EXPECT_EQ(start(1, 1), Verdict::Counts);
  EXPECT_EQ(records(1, 1, 2), Verdict::Early);
  EXPECT_EQ(records(1, 1, 1), Verdict::Counts);
  EXPECT_EQ(records(1, 1, 1), Verdict::Repeated);
  EXPECT_EQ(records(1, 1, 2), Verdict::Counts);
  EXPECT_EQ(nodes.find(1)->number, 2u);
}

TEST_F(NodesTest, ALaterIncarnationEndsTheFormerOne) {
  ASSERT_EQ(start(1, 5), Verdict::Counts);
  EXPECT_EQ(start(1, 5), Verdict::Repeated);
  EXPECT_EQ(start(1, 4), Verdict::Repeated);
  ASSERT_EQ(records(1, 5, 1), Verdict::Counts);
  EXPECT_EQ(start(1, 6), Verdict::Counts);
  EXPECT_EQ(records(1, 5, 2), Verdict::Repeated);
  EXPECT_EQ(records(1, 6, 1), Verdict::Counts);
}

TEST_F(NodesTest, ANodeThatHasSentSomethingMeanwhileIsNotGone) {
  ASSERT_EQ(start(1, 1), Verdict::Counts);
  ASSERT_EQ(start(2, 1), Verdict::Counts);
  ASSERT_EQ(records(2, 1, 1), Verdict::Counts);
  EXPECT_FALSE(gone(1, 1, {.node = 2, .incarnation = 1, .number = 0}));
  EXPECT_FALSE(gone(1, 2, {.node = 2, .incarnation = 2, .number = 1}));
  EXPECT_FALSE(gone(1, 3, {.node = 9, .incarnation = 1, .number = 1}));
  EXPECT_TRUE(gone(1, 4, {.node = 2, .incarnation = 1, .number = 1}));
  EXPECT_FALSE(gone(1, 5, {.node = 2, .incarnation = 1, .number = 1})) << "it is gone already";
  EXPECT_EQ(records(2, 1, 2), Verdict::Repeated);
  EXPECT_EQ(start(2, 1), Verdict::Repeated);
  EXPECT_EQ(start(2, 2), Verdict::Counts);
  EXPECT_EQ(nodes.find(2)->goneSince, 0u);
}

TEST_F(NodesTest, PartsStandBeforeTheRecordsThatFollowThem) {
  ASSERT_EQ(start(1, 1), Verdict::Counts);
  ASSERT_EQ(start(2, 1), Verdict::Counts);
  ASSERT_EQ(part(1, 1, "ab"), Verdict::Counts);
  ASSERT_EQ(part(2, 1, "xy"), Verdict::Counts);
  ASSERT_EQ(part(1, 2, "cd"), Verdict::Counts);
  EXPECT_TRUE(nodes.hasParts());
  EXPECT_EQ(nodes.recordsOf({.node = 1, .body = "ef"}), "abcdef");
  EXPECT_EQ(nodes.recordsOf({.node = 1, .body = "gh"}), "gh");
  EXPECT_EQ(nodes.recordsOf({.node = 2, .body = "z"}), "xyz");
  EXPECT_FALSE(nodes.hasParts());
}

TEST_F(NodesTest, TheNodesThatAreGoneLongestAreForgotten) {
  ASSERT_EQ(start(1, 1), Verdict::Counts);
  for (NodeId id = 2; id < 2 + Nodes::kGoneMax + 1; ++id) {
    ASSERT_EQ(start(id, 1), Verdict::Counts);
    ASSERT_TRUE(gone(1, id - 1, {.node = id, .incarnation = 1, .number = 0}));
  }
  EXPECT_EQ(nodes.table().size(), 1 + Nodes::kGoneMax);
  EXPECT_EQ(nodes.find(2), nullptr);
  EXPECT_EQ(nodes.nameOf(2), "0000000000000002");
  EXPECT_EQ(nodes.nameOf(3), "name");
}

TEST_F(NodesTest, ASnapshotHasAllOfThem) {
  ASSERT_EQ(start(1, 1), Verdict::Counts);
  ASSERT_EQ(start(2, 1), Verdict::Counts);
  ASSERT_EQ(part(1, 1, "ab"), Verdict::Counts);
  ASSERT_TRUE(gone(1, 2, {.node = 2, .incarnation = 1, .number = 0}));
  std::string saved;
  {
    StateWriter out([&](std::string_view bytes) { saved += bytes; });
    nodes.save(out);
  }
  Nodes other;
  StateReader in(saved);
  other.restore(in);
  ASSERT_TRUE(in.ok() && in.atEnd());
  EXPECT_EQ(other.find(1)->number, 2u);
  EXPECT_EQ(other.find(2)->goneSince, nodes.find(2)->goneSince);
  EXPECT_EQ(other.recordsOf({.node = 1, .body = "c"}), "abc");
}

}  // namespace
}  // namespace stormo::channel
