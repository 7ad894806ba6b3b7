// The real log of several nodes over one scripted stream, with a clock, a network and disks that a
// seed controls: messages are lost, come twice and overtake none; connections are cut; nodes are
// slow, die, and start from snapshots of their own and of others; the stream forgets what is old.
// All nodes must apply the same records in one order, and what a node has appended once.
#include <gtest/gtest.h>

#include <iostream>

#include "channel/cluster/cluster_simulation.h"
#include "support/simulation_seeds.h"

namespace stormo::channel {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t kSeeds = 200;
#else
constexpr std::uint64_t kSeeds = 3'000;
#endif

TEST(ClusterLogSimulation, AllNodesApplyTheSameRecordsOnceAndInOneOrder) {
  const test::SimulationSeeds seeds(kSeeds);
  ASSERT_TRUE(seeds.isReady);
  ClusterSimulation::Counts sum;
  for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
    ClusterSimulation simulation(seed);
    simulation.run();
    const std::string error = simulation.error();
    const auto counts = simulation.counts();
    sum.records += counts.records;
    sum.snapshots += counts.snapshots;
    sum.gone += counts.gone;
    sum.recalled += counts.recalled;
    sum.messages += counts.messages;
    sum.losses += counts.losses;
    sum.peerSnapshots += counts.peerSnapshots;
    ASSERT_EQ(error, "") << "to repeat it: STORMO_SIMULATION_SEED=" << seed
                         << " build/bin/channel_cluster_test\n"
                         << simulation.trace();
  }
  std::cout << "records=" << sum.records << " messages=" << sum.messages
            << " snapshots=" << sum.snapshots << " gone=" << sum.gone
            << " of_peers=" << sum.peerSnapshots << " losses=" << sum.losses
            << " recalled=" << sum.recalled << "\n";
  if (seeds.isOne) return;
  EXPECT_GT(sum.records, kSeeds * 20);
  EXPECT_GT(sum.snapshots, kSeeds / 4);
  EXPECT_GT(sum.gone, kSeeds / 10);
  EXPECT_GT(sum.losses, kSeeds / 20);
  EXPECT_GT(sum.peerSnapshots, kSeeds / 20);
  EXPECT_GT(sum.recalled, kSeeds);
}

}  // namespace
}  // namespace stormo::channel
