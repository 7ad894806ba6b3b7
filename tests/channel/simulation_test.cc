// The real Channel and clients in one process, with a clock, a network and a disk controlled by a
// seed: links are slow, stall and are cut, a server and clients die at any step, the power fails,
// the disk is full or slow, members move between clients. Each must receive its messages exactly
// once and in one order, and each job must be done.
#include "channel/simulation.h"

#include <gtest/gtest.h>

#include <iostream>

#include "support/simulation_seeds.h"

namespace stormo::channel {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t kSeeds = 500;
#else
constexpr std::uint64_t kSeeds = 10'000;
#endif

void add(const Simulation::Counts& more, Simulation::Counts& sum) {
  sum.messages += more.messages;
  sum.jobs += more.jobs;
  sum.deathsInTurn += more.deathsInTurn;
  sum.snapshots += more.snapshots;
  sum.newEpochs += more.newEpochs;
  sum.lags += more.lags;
  sum.blocked += more.blocked;
}

TEST(ChannelSimulation, EachMessageIsDeliveredOnceAndInOneOrderAndEachJobIsDone) {
  const test::SimulationSeeds seeds(kSeeds);
  ASSERT_TRUE(seeds.isReady);
  Simulation::Counts sum;
  for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
    Simulation simulation(seed);
    simulation.run();
    add(simulation.counts(), sum);
    ASSERT_EQ(simulation.error(), "")
        << "to repeat it: STORMO_SIMULATION_SEED=" << seed << " build/bin/channel_simulation_test\n"
        << simulation.trace();
  }
  std::cout << "messages=" << sum.messages << " jobs=" << sum.jobs
            << " deaths_in_turn=" << sum.deathsInTurn << " snapshots=" << sum.snapshots
            << " new_epochs=" << sum.newEpochs << " lags=" << sum.lags << " blocked=" << sum.blocked
            << "\n";
  if (seeds.isOne) return;
  EXPECT_GT(sum.messages, kSeeds) << "no messages, nothing was tested";
  EXPECT_GT(sum.jobs, kSeeds);
  EXPECT_GT(sum.deathsInTurn, kSeeds / 4);
  EXPECT_GT(sum.snapshots, kSeeds / 4);
  EXPECT_GT(sum.newEpochs, kSeeds / 10);
  EXPECT_GT(sum.lags, kSeeds / 4);
  EXPECT_GT(sum.blocked, kSeeds / 10);
}

}  // namespace
}  // namespace stormo::channel
