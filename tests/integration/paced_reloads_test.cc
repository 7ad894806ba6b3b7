// The proof of a deploy that nobody notices: members of stormo.v1 over ten paced reloads.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "integration/harness/with_stormo.h"

namespace stormo::integration {
namespace {

struct PacedReloads : WithStormo {
  PacedReloads() : WithStormo(std::chrono::seconds(120)) {}
};

TEST_F(PacedReloads, MembersThatResumeMissNothingAndGetNothingTwice) {
  constexpr int kReloads = 10;
  constexpr std::size_t kMembers = 300;
  startStormo({"--workers", "2", "--history-groups", "*", "--history-messages", "10000"});
  SpawnedProgram bench(deadline, {STORMO_BIN_DIR "/stormo", "bench", "--protocol", "stormo.v1",
                                  "--url", "ws://127.0.0.1:" + std::to_string(stormo.port()) + "/",
                                  "--members", std::to_string(kMembers), "--groups", "10", "--rate",
                                  "200", "--json", "--seconds", "15", "--timeout", "30"});
  stormo.waitForStatus("all members", [&](const Json& status) {
    return groupsIn(status) > 0 && clientsIn(status) >= kMembers;
  });
  for (int i = 0; i < kReloads; ++i) {
    const Outcome reload = stormo.run({"reload", "--over", "1s"});
    ASSERT_EQ(reload.status, 0) << reload.errors;
  }
  const Outcome outcome = bench.waitForEnd();
  EXPECT_EQ(outcome.status, 0) << outcome.output << outcome.errors;
  const Json report = Json::parse(outcome.output);
  EXPECT_EQ(report.at("missing"), 0) << outcome.output;
  EXPECT_EQ(report.at("surplus"), 0) << outcome.output;
  EXPECT_EQ(report.at("disordered"), 0) << outcome.output;
  EXPECT_EQ(report.at("refused"), 0) << outcome.output;
  // Each reload closes each member once; how many happen while it measures depends on the machine.
  EXPECT_GE(report.at("returned"), kMembers) << outcome.output;
}

}  // namespace
}  // namespace stormo::integration
