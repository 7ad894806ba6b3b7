// Jobs while the processes that do them are replaced.
#include <algorithm>
#include <set>
#include <sstream>
#include <string>

#include "worker/program_fixture.h"

namespace stormo {
namespace {

class Jobs : public ProgramTest {
 protected:
  Jobs() : ProgramTest("pool_program") {}

  [[nodiscard]] std::size_t done() const {
    const std::string all = notes();
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), '\n'));
  }
  /// Enqueues 100 jobs, runs a command when some are done, enqueues as many with the same numbers,
  /// which the new workers do, and expects each job to be done once.
  void expectAllOnceDuring(const test::Words& command) {
    constexpr std::size_t kJobs = 100;
    start();
    EXPECT_EQ(TextClient(port()).ask(std::to_string(kJobs)), "accepted");
    ASSERT_TRUE(test::eventually(deadline, [&] { return done() >= kJobs / 4; }));
    EXPECT_EQ(run(command).status, 0);
    EXPECT_EQ(TextClient(port()).ask(std::to_string(kJobs)), "accepted");
    ASSERT_TRUE(test::eventually(deadline, [&] { return done() >= 2 * kJobs; }));
    EXPECT_EQ(run({"stop"}).status, 0);
    std::multiset<std::string> all;
    std::istringstream lines(notes());
    for (std::string line; std::getline(lines, line);) all.insert(line);
    EXPECT_EQ(all.size(), 2 * kJobs);
    for (std::size_t i = 0; i < kJobs; ++i) EXPECT_EQ(all.count(std::to_string(i)), 2u) << i;
  }
};

TEST_F(Jobs, EachJobIsDoneOnceDuringAReload) { expectAllOnceDuring({"reload"}); }

TEST_F(Jobs, EachJobIsDoneOnceDuringAGracefulReload) {
  expectAllOnceDuring({"reload", "-g", "--timeout", "1"});
}

}  // namespace
}  // namespace stormo
