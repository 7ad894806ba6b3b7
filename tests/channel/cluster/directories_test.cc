// A directory has the log of one kind of Channel.
#include <gtest/gtest.h>

#include <memory>

#include "channel/cluster/cluster_log.h"
#include "channel/cluster/list_state.h"
#include "channel/cluster/node_identity.h"
#include "channel/cluster/scripted_stream.h"
#include "channel/log/file_log.h"
#include "channel/log/simulated_log_directory.h"
#include "support/loop_fixture.h"

namespace stormo::channel {
namespace {

class DirectoriesTest : public test::LoopTest {
 protected:
  Result<void> openFileLog() {
    ListState state;
    return FileLog(directory, {}).open(state, [] {});
  }
  Result<void> openClusterLog() {
    ListState state;
    ClusterLog log(std::make_unique<ScriptedStream>(servers), directory, {.node = "h1"});
    return log.open(state, [] {});
  }

  test::SimulatedLogDirectory directory;
  ScriptedServers servers;
};

TEST_F(DirectoriesTest, AClusterDoesNotUseTheLogOfOneMachine) {
  ASSERT_TRUE(openFileLog().ok());
  const auto files = directory.copy();
  const Result<void> opened = openClusterLog();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().message(),
            "the directory has the log of a Channel without a cluster (channel.log-dir): File "
            "exists");
  EXPECT_EQ(directory.copy(), files);
  EXPECT_TRUE(openFileLog().ok());
}

TEST_F(DirectoriesTest, AChannelWithoutAClusterDoesNotUseItsDirectory) {
  ASSERT_TRUE(openClusterLog().ok());
  const auto files = directory.copy();
  const Result<void> opened = openFileLog();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().message(),
            "the directory is that of a node of a cluster, and this Channel has none "
            "(channel.log-dir): File exists");
  EXPECT_EQ(directory.copy(), files);
  EXPECT_TRUE(openClusterLog().ok());
}

TEST_F(DirectoriesTest, ANodeKeepsItsIdentity) {
  const auto first = nodeIdentity(directory);
  const auto second = nodeIdentity(directory);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first.value(), second.value());
  directory.replaceContent("node", "damaged");
  const auto other = nodeIdentity(directory);
  ASSERT_TRUE(other.ok());
  EXPECT_NE(other.value(), first.value());
}

}  // namespace
}  // namespace stormo::channel
