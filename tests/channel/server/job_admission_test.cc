#include "channel/server/job_admission.h"

#include <gtest/gtest.h>

#include "channel/log/record.h"
#include "protocol/package/frame.h"

namespace stormo::channel {
namespace {

constexpr std::size_t kJobBytes = 100;
constexpr std::size_t kCountedBytes = kJobBytes + JobStore::kJobOverheadBytes;

class JobAdmissionTest : public testing::Test {
 protected:
  JobAdmissionTest() { state.begin(1); }

  bool admits(std::string_view queue) { return admission.admits(queue, kJobBytes, applied); }
  void add(std::string_view queue) { admission.added(queue, kJobBytes, ++added); }
  /// The state applies the next record.
  void apply(const Packet& packet, std::uint64_t producerId = 0, bool isOwn = true) {
    std::string record;
    const std::string frame = encode(packet);
    appendRecord({.producerId = producerId, .packet = framePayload(frame)}, record);
    state.apply(state.offset() + 1, record, isOwn ? 1 : 2);
    if (isOwn) ++applied;
  }
  void applyJob(std::string_view queue, std::uint64_t producerId = 0, std::uint64_t sequence = 0) {
    const std::string data(kJobBytes, 'x');
    apply({.kind = Kind::Enqueue, .sequence = sequence, .channel = queue, .payload = data},
          producerId);
  }

  Server settings;
  ChannelState state{settings};
  JobAdmission admission{state, 3 * kCountedBytes};
  std::uint64_t added = 0;
  std::uint64_t applied = 0;
};

TEST_F(JobAdmissionTest, JobsCountBeforeTheirRecordsAreApplied) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(admits("jobs"));
    add("jobs");
  }
  EXPECT_FALSE(admits("jobs"));
  EXPECT_TRUE(admits("other"));
}

TEST_F(JobAdmissionTest, JobsCountOnceWhileTheirRecordsAreApplied) {
  for (int i = 0; i < 2; ++i) add("jobs");
  for (int i = 0; i < 2; ++i) {
    applyJob("jobs");
    EXPECT_TRUE(admits("jobs"));
  }
  add("jobs");
  EXPECT_FALSE(admits("jobs"));
  applyJob("jobs");
  EXPECT_FALSE(admits("jobs"));
  apply({.kind = Kind::Job, .job = 1, .channel = "jobs"}, 7);
  apply({.kind = Kind::Finish, .job = 4}, 7);
  EXPECT_TRUE(admits("jobs")) << "one is done";
}

TEST_F(JobAdmissionTest, RecordsOfOtherNodesAreNotThoseThatWereAdded) {
  for (int i = 0; i < 2; ++i) add("jobs");
  apply({.kind = Kind::Rejected, .sequence = 1, .payload = "no"}, 7, false);
  apply({.kind = Kind::Rejected, .sequence = 2, .payload = "no"}, 7, false);
  EXPECT_TRUE(admits("jobs"));
  add("jobs");
  EXPECT_FALSE(admits("jobs"));
}

TEST_F(JobAdmissionTest, DuplicateCountsOnlyUntilItsRecordIsApplied) {
  for (int i = 0; i < 3; ++i) add("jobs");
  for (int i = 0; i < 3; ++i) applyJob("jobs", 7, 1);
  EXPECT_EQ(state.jobs().bytesOf("jobs"), kCountedBytes);
  EXPECT_TRUE(admits("jobs"));
}

TEST_F(JobAdmissionTest, QueuesCountBeforeTheirRecordsAreApplied) {
  const auto name = [](std::size_t i) { return "queue" + std::to_string(i); };
  const std::size_t half = JobAdmission::kQueuesMax / 2;
  for (std::size_t i = 0; i < half; ++i) {
    add(name(i));
    applyJob(name(i));
  }
  for (std::size_t i = half; i < JobAdmission::kQueuesMax; ++i) {
    ASSERT_TRUE(admits(name(i))) << i;
    add(name(i));
  }
  EXPECT_FALSE(admits("one more"));
  EXPECT_TRUE(admits(name(0)));
  EXPECT_TRUE(admits(name(half)));
}

}  // namespace
}  // namespace stormo::channel
