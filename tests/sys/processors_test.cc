#include "sys/processors.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <map>
#include <string>

namespace stormo {
namespace {

using Files = std::map<std::string, std::string>;

std::size_t processors(std::size_t otherwise, const Files& files) {
  return processorsWithinQuota(otherwise, [&files](const std::string& path) {
    const auto found = files.find(path);
    return found == files.end() ? std::string() : found->second;
  });
}

TEST(Processors, CgroupV2QuotaLimitsThem) {
  const Files files = {{"/proc/self/cgroup", "0::/\n"},
                       {"/sys/fs/cgroup/cpu.max", "200000 100000\n"}};
  EXPECT_EQ(processors(8, files), 2u);
  EXPECT_EQ(processors(1, files), 1u);
}

TEST(Processors, CgroupV1QuotaLimitsThem) {
  const Files files = {{"/proc/self/cgroup", "5:memory:/\n4:cpuacct,cpu:/\n1:cpuset:/\n"},
                       {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "300000\n"},
                       {"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}};
  EXPECT_EQ(processors(8, files), 3u);
}

TEST(Processors, NoQuotaLimitsNothing) {
  EXPECT_EQ(processors(8, {}), 8u);
  EXPECT_EQ(processors(8, {{"/proc/self/cgroup", "0::/a\n"},
                           {"/sys/fs/cgroup/a/cpu.max", "max 100000\n"}}),
            8u);
  EXPECT_EQ(processors(8, {{"/proc/self/cgroup", "1:cpu:/\n"},
                           {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"},
                           {"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}}),
            8u);
}

TEST(Processors, AQuotaIsRoundedDownAndIsNeverLessThanOne) {
  const auto withQuota = [](const std::string& text) {
    return processors(8, {{"/proc/self/cgroup", "0::/\n"}, {"/sys/fs/cgroup/cpu.max", text}});
  };
  EXPECT_EQ(withQuota("250000 100000\n"), 2u);
  EXPECT_EQ(withQuota("10000 100000\n"), 1u);
  EXPECT_EQ(withQuota("9000000 100000\n"), 8u);
}

TEST(Processors, TheSmallestQuotaOfAllParentGroupsApplies) {
  const Files files = {{"/proc/self/cgroup", "0::/system.slice/stormo.service\n"},
                       {"/sys/fs/cgroup/system.slice/stormo.service/cpu.max", "400000 100000\n"},
                       {"/sys/fs/cgroup/system.slice/cpu.max", "200000 100000\n"}};
  EXPECT_EQ(processors(8, files), 2u);
}

TEST(Processors, HostPathInAContainerFallsBackToTheTop) {
  const Files files = {{"/proc/self/cgroup", "3:cpu,cpuacct:/docker/0123abcd\n"},
                       {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n"},
                       {"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}};
  EXPECT_EQ(processors(8, files), 1u);
}

TEST(Processors, MalformedQuotaLimitsNothing) {
  for (const char* text : {"", "many", "5", "0 100000", "100000 0", "-3 -1", "x y"}) {
    EXPECT_EQ(processors(8, {{"/proc/self/cgroup", "::\n:\nnothing\n0::/\n"},
                             {"/sys/fs/cgroup/cpu.max", text}}),
              8u)
        << text;
  }
}

TEST(Processors, TheAffinityMaskLimitsThem) {
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &before)) continue;
    CPU_SET(cpu, &one);
    break;
  }
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(usableProcessors(), 1u);
  ASSERT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
}

}  // namespace
}  // namespace stormo
