#include "channel/server/interests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr NodeId kPublisher = 9;

std::vector<NodeId> next(Interests& interests, std::string_view event, int count) {
  std::vector<NodeId> nodes;
  for (; count > 0; --count) nodes.push_back(interests.next(event, kPublisher));
  return nodes;
}

std::vector<std::pair<std::string, std::uint64_t>> of(const Interests& interests, NodeId node) {
  std::vector<std::pair<std::string, std::uint64_t>> all;
  interests.forEachOf(
      node, [&](std::string_view event, std::uint64_t count) { all.emplace_back(event, count); });
  return all;
}

TEST(Interests, NodesWithSubscribersTakeTurns) {
  Interests interests;
  EXPECT_THAT(next(interests, "a", 2), ElementsAre(kPublisher, kPublisher));
  for (const NodeId node : {3, 1, 2}) interests.set("a", node, 5 * node);
  EXPECT_THAT(next(interests, "a", 4), ElementsAre(1, 2, 3, 1));
  interests.set("a", 2, 0);
  EXPECT_THAT(next(interests, "a", 3), ElementsAre(3, 1, 3));
  EXPECT_THAT(next(interests, "b", 1), ElementsAre(kPublisher));
}

TEST(Interests, SubscribersOfOtherNodesAreCounted) {
  Interests interests;
  interests.set("a", 1, 10);
  interests.set("a", 2, 20);
  interests.set("a", 3, 30);
  interests.set("a", 3, 40);
  EXPECT_EQ(interests.countBeside(2, "a"), 50u);
  EXPECT_EQ(interests.countBeside(9, "a"), 70u);
  EXPECT_EQ(interests.countBeside(1, "b"), 0u);
}

TEST(Interests, WhatANodeHadIsForgottenWithIt) {
  Interests interests;
  interests.set("a", 1, 1);
  interests.set("a", 2, 2);
  interests.set("b", 2, 3);
  EXPECT_THAT(of(interests, 2), ElementsAre(Pair("a", 2), Pair("b", 3)));
  interests.nodeGone(2);
  EXPECT_THAT(of(interests, 2), IsEmpty());
  EXPECT_THAT(of(interests, 1), ElementsAre(Pair("a", 1)));
  EXPECT_THAT(next(interests, "b", 1), ElementsAre(kPublisher));
}

TEST(Interests, TurnsContinueAfterASnapshot) {
  Interests interests;
  for (const NodeId node : {1, 2, 3}) interests.set("a", node, node);
  EXPECT_THAT(next(interests, "a", 2), ElementsAre(1, 2));
  std::string bytes;
  {
    StateWriter out([&](std::string_view piece) { bytes += piece; });
    interests.save(out);
  }
  Interests restored;
  StateReader in(bytes);
  restored.restore(in);
  EXPECT_TRUE(in.ok() && in.atEnd());
  EXPECT_EQ(restored.countBeside(1, "a"), 5u);
  EXPECT_THAT(next(restored, "a", 2), ElementsAre(3, 1));
}

}  // namespace
}  // namespace stormo::channel
