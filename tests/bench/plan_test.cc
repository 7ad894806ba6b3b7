#include "bench/plan.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <stdexcept>
#include <string>

#include "bench/stamp.h"

namespace stormo::bench {
namespace {

using ::testing::HasSubstr;

/// The error for this plan; empty if there is none.
std::string errorOf(Plan plan) {
  try {
    settle(plan);
    return "";
  } catch (const std::invalid_argument& wrong) {
    return wrong.what();
  }
}

TEST(Settle, DefaultsAreValid) {
  Plan plan;
  settle(plan);
  EXPECT_GE(plan.processes, 1u);
}

TEST(Settle, ThereMustBeMembers) {
  EXPECT_THAT(errorOf({.members = 0}), HasSubstr("at least one member"));
  EXPECT_EQ(errorOf({.members = 1, .groups = 1, .publishers = 1}), "");
}

TEST(Settle, ThereMustBeGroupsAndNoMoreThanMembers) {
  EXPECT_THAT(errorOf({.members = 4, .groups = 0, .publishers = 1}), HasSubstr("one group"));
  EXPECT_THAT(errorOf({.members = 4, .groups = 5, .publishers = 1}), HasSubstr("no more groups"));
  EXPECT_EQ(errorOf({.members = 4, .groups = 4, .publishers = 1}), "");
}

TEST(Settle, PublishersAreMembers) {
  EXPECT_THAT(errorOf({.members = 4, .groups = 1, .publishers = 5}),
              HasSubstr("4 members cannot hold 5"));
  EXPECT_EQ(errorOf({.members = 4, .groups = 1, .publishers = 4}), "");
}

// A stamp has a limited number of digits for the publisher, and the first member of each group
// sends its probes.
TEST(Settle, PublishersAndGroupsFitIntoAStamp) {
  constexpr std::size_t kTooMany = kPublishersMax + 1;
  EXPECT_THAT(errorOf({.members = kTooMany, .groups = 1, .publishers = kTooMany}),
              HasSubstr("at most 1048576 publishers"));
  EXPECT_THAT(errorOf({.members = kTooMany, .groups = kTooMany, .publishers = 1}),
              HasSubstr("at most 1048576"));
}

TEST(Settle, AMessageHasRoomForItsStamp) {
  EXPECT_THAT(errorOf({.messageBytes = kStampBytes - 1}), HasSubstr("at least 26 bytes"));
  EXPECT_EQ(errorOf({.messageBytes = kStampBytes}), "");
}

TEST(Settle, SomethingMustBeInFlightInAClosedLoop) {
  EXPECT_THAT(errorOf({.inFlight = 0}), HasSubstr("in flight"));
  EXPECT_EQ(errorOf({.inFlight = 0, .rate = 1}), "");
}

TEST(Settle, ARateIsAtMostAMillion) {
  EXPECT_EQ(errorOf({.rate = 1e6}), "");
  EXPECT_THAT(errorOf({.rate = 1e6 + 1}), HasSubstr("a million messages a second"));
}

TEST(Settle, PublishTextContainsTheMessage) {
  EXPECT_THAT(errorOf({.publish = "hello"}), HasSubstr("must contain {message}"));
  EXPECT_THAT(errorOf({.publish = ""}), HasSubstr("must contain {message}"));
  EXPECT_EQ(errorOf({.publish = "PUB {message}"}), "");
}

TEST(Settle, IdlePlanHasNoPublishTextOrOneWithTheMessage) {
  EXPECT_EQ(errorOf({.publishers = 0, .publish = ""}), "");
  EXPECT_EQ(errorOf({.publishers = 0, .publish = "{message}"}), "");
  EXPECT_THAT(errorOf({.publishers = 0, .publish = "hello"}), HasSubstr("must contain {message}"));
}

std::size_t openFilesMax() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(limit.rlim_max);
}

TEST(Settle, ProcessesFollowFromTheLimitOfOpenFiles) {
  // Each process has other files open besides its connections, so two processes hold less than
  // twice the limit.
  Plan plan{.members = 2 * openFilesMax()};
  settle(plan);
  EXPECT_GE(plan.processes, 3u);
  EXPECT_THAT(errorOf({.members = 2 * openFilesMax(), .processes = 2}),
              HasSubstr(std::to_string(plan.processes) + " processes"));

  Plan small{.members = 1, .groups = 1, .publishers = 1};
  settle(small);
  EXPECT_EQ(small.processes, 1u);
}

TEST(Settle, MoreProcessesAreAllowedUpToTheNumberOfMembers) {
  Plan plan{.members = 10, .publishers = 10, .processes = 10};
  settle(plan);
  EXPECT_EQ(plan.processes, 10u);
  plan.processes = 11;
  EXPECT_THAT(errorOf(plan), HasSubstr("10 members cannot be divided among 11 processes"));
}

TEST(Plan, PublishersOfAGroupAreNumberedFromZero) {
  const Plan plan{.groups = 3, .publishers = 7};
  EXPECT_EQ(plan.publishersInGroup(), 3u);
  for (const std::size_t publisher : {0U, 3U, 6U}) {
    EXPECT_EQ(plan.groupOf(publisher), 0u);
    EXPECT_EQ(plan.placeInGroup(publisher), publisher / 3);
  }
  EXPECT_EQ(plan.groupOf(5), 2u);
  EXPECT_EQ(plan.placeInGroup(5), 1u);
}

}  // namespace
}  // namespace stormo::bench
