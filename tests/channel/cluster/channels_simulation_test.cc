// The real Channels of three nodes and their clients, over one scripted stream: messages are lost
// on their way to it, nodes are cut off, die and start from snapshots, links are slow and are cut,
// members move between nodes. Each must receive its messages exactly once and in one order, and
// each job must be done.
#include "channel/cluster/channels_simulation.h"

#include <gtest/gtest.h>

#include <iostream>

#include "support/simulation_seeds.h"

namespace stormo::channel {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t kSeeds = 60;
#else
constexpr std::uint64_t kSeeds = 2'000;
#endif

TEST(ChannelsSimulation, EachMessageIsDeliveredOnceAndInOneOrderOnAllNodes) {
  const test::SimulationSeeds seeds(kSeeds);
  ASSERT_TRUE(seeds.isReady);
  ChannelsSimulation::Counts sum;
  for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
    ChannelsSimulation simulation(seed);
    simulation.run();
    const auto counts = simulation.counts();
    sum.messages += counts.messages;
    sum.jobs += counts.jobs;
    sum.deaths += counts.deaths;
    sum.snapshots += counts.snapshots;
    sum.moves += counts.moves;
    ASSERT_EQ(simulation.error(), "") << "to repeat it: STORMO_SIMULATION_SEED=" << seed
                                      << " build/bin/channels_simulation_test\n"
                                      << simulation.trace();
  }
  std::cout << "messages=" << sum.messages << " jobs=" << sum.jobs << " deaths=" << sum.deaths
            << " snapshots=" << sum.snapshots << " moves=" << sum.moves << "\n";
  if (seeds.isOne) return;
  EXPECT_GT(sum.messages, kSeeds * 20);
  EXPECT_GT(sum.jobs, kSeeds / 2);
  EXPECT_GT(sum.deaths, kSeeds);
  EXPECT_GT(sum.snapshots, kSeeds / 2);
  EXPECT_GT(sum.moves, kSeeds / 2);
}

}  // namespace
}  // namespace stormo::channel
