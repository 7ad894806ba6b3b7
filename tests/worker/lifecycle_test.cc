// Hooks and handlers of a Worker in real processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/deadline.h"
#include "support/spawned_program.h"
#include "support/temp_directory.h"
#include "sys/address.h"
#include "sys/unique_fd.h"

namespace stormo {
namespace {

using testing::HasSubstr;
using Ending = std::vector<std::string>;

class Lifecycle : public testing::Test {
 protected:
  ~Lifecycle() override {
    if (program != nullptr && !program->statusIfEnded()) {
      run({"stop"});
      program->waitForOwnEnd();
    }
  }
  void start(const std::string& throws = "") {
    throws_ = throws;
    program = std::make_unique<test::SpawnedProgram>(deadline, words({"start"}));
    program->waitForOutput("Start success.");
  }
  test::Outcome run(const test::Words& arguments) {
    return test::SpawnedProgram(deadline, words(arguments)).waitForOwnEnd();
  }
  std::uint16_t port() {
    const auto status = nlohmann::json::parse(run({"status", "--json"}).output);
    const std::string listen = status.at("processes").back().at("listen");
    return static_cast<std::uint16_t>(std::stoi(listen.substr(listen.rfind(':') + 1)));
  }
  [[nodiscard]] std::string hooks() const {
    std::stringstream text;
    text << std::ifstream(directory.file("hooks")).rdbuf();
    return text.str();
  }

  const test::Deadline deadline;
  test::TempDirectory directory;
  std::unique_ptr<test::SpawnedProgram> program;

 private:
  [[nodiscard]] test::Words words(const test::Words& arguments) const {
    test::Words all = {"env",
                       "HOOKS_FILE=" + directory.file("hooks"),
                       "THROWS=" + throws_,
                       STORMO_BIN_DIR "/lifecycle_program",
                       "--runtime-dir",
                       directory.path()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }
  std::string throws_;
};

TEST_F(Lifecycle, OnWorkerStopIsCalledOnceAndOnWorkerReloadBeforeItForAReload) {
  start();
  EXPECT_EQ(run({"reload"}).status, 0);
  EXPECT_EQ(hooks(), "reload\nstop\n");
  EXPECT_EQ(run({"reload", "-g"}).status, 0);
  EXPECT_EQ(hooks(), "reload\nstop\nreload\nstop\n");
  EXPECT_EQ(run({"stop"}).status, 0);
  EXPECT_EQ(hooks(), "reload\nstop\nreload\nstop\nstop\n");
}

TEST_F(Lifecycle, AnExceptionInOnWorkerStopOrOnWorkerReloadIsLoggedAndTheProcessEnds) {
  for (const std::string hook : {"stop", "reload"}) {
    for (const Ending& last : {Ending{"stop"}, Ending{"stop", "-g"}}) {
      start(hook);
      EXPECT_EQ(run({"reload"}).status, 0);
      EXPECT_EQ(run({"reload", "-g"}).status, 0);
      EXPECT_EQ(run(last).status, 0);
      const test::Outcome outcome = program->waitForOwnEnd();
      EXPECT_EQ(outcome.status, 0);
      EXPECT_THAT(outcome.errors, HasSubstr("on purpose in " + hook));
      EXPECT_THAT(outcome.errors, testing::Not(HasSubstr("did not stop in time")));
    }
  }
}

TEST_F(Lifecycle, AHandlerThatIsSetInOnWorkerStartCounts) {
  start();
  const Address address = Address::ip("127.0.0.1", port()).value();
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(client.get(), address.raw(), address.size()), 0);
  ASSERT_EQ(::send(client.get(), "hello\n", 6, MSG_NOSIGNAL), 6);
  std::array<char, 6> reply{};
  EXPECT_EQ(::recv(client.get(), reply.data(), reply.size(), MSG_WAITALL), 6);
  EXPECT_EQ(std::string_view(reply.data(), reply.size()), "hello\n");
}

TEST_F(Lifecycle, AProgramThatAWorkerExecutesDoesNotInheritIgnoredSignals) {
  start();
  EXPECT_EQ(run({"stop"}).status, 0);
  EXPECT_EQ(hooks(), "stop\n");
}

}  // namespace
}  // namespace stormo
