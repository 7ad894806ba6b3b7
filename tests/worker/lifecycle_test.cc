// Hooks and handlers of a Worker in real processes.
#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <vector>

#include "worker/program_fixture.h"

namespace stormo {
namespace {

using testing::HasSubstr;
using Ending = std::vector<std::string>;

class Lifecycle : public ProgramTest {
 protected:
  Lifecycle() : ProgramTest("lifecycle_program") {}
};

TEST_F(Lifecycle, OnWorkerStopIsCalledOnceAndOnWorkerReloadBeforeItForAReload) {
  start();
  EXPECT_EQ(run({"reload"}).status, 0);
  EXPECT_EQ(notes(), "reload\nstop\n");
  EXPECT_EQ(run({"reload", "-g"}).status, 0);
  EXPECT_EQ(notes(), "reload\nstop\nreload\nstop\n");
  EXPECT_EQ(run({"stop"}).status, 0);
  EXPECT_EQ(notes(), "reload\nstop\nreload\nstop\nstop\n");
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

TEST_F(Lifecycle, HandlersSetInOnWorkerStartReplaceThoseOfMain) {
  start();
  EXPECT_EQ(TextClient(port()).ask("hello"), "hello");
  EXPECT_EQ(run({"stop"}).status, 0);
  EXPECT_EQ(notes(), "stop\n");
}

TEST_F(Lifecycle, AWorkerCountsAndVisitsItsConnections) {
  start();
  const TextClient one(port());
  EXPECT_EQ(one.ask("how many?"), "1");
  {
    const TextClient two(port());
    EXPECT_EQ(two.ask("how many?"), "2");
    one.send("to all: good morning");
    EXPECT_EQ(one.receive(), "good morning");
    EXPECT_EQ(two.receive(), "good morning");
    two.send("close me");
    EXPECT_EQ(two.receive(), "");
  }
  EXPECT_EQ(one.ask("how many?"), "1");
}

TEST_F(Lifecycle, StopAllInAHandlerStopsTheProgramCleanly) {
  start();
  const TextClient client(port());
  client.send("stop all");
  const test::Outcome outcome = program->waitForOwnEnd();
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(notes(), "stop\n");
  EXPECT_THAT(outcome.errors, testing::Not(HasSubstr("did not stop in time")));
}

TEST_F(Lifecycle, AStoppingWorkerSendsTheQueuedOutputOfClosingClients) {
  start();
  {
    const TextClient client(port());
    client.send("much");  // more than the kernel buffers
    client.send("stop all");
    ASSERT_TRUE(test::eventually(deadline, [&] { return notes() == "stop\n"; }));
    EXPECT_EQ(client.receiveToEnd().size(), 6'000'001u);
  }
  EXPECT_EQ(program->waitForOwnEnd().status, 0);
}

TEST_F(Lifecycle, AStoppingWorkerWaitsForBlockingWorkAndItsThen) {
  for (const Ending& ending : {Ending{"stop"}, Ending{"stop", "-g"}}) {
    std::filesystem::remove(directory.file("notes"));
    start();
    {
      const TextClient client(port());
      EXPECT_EQ(client.ask("work until stop"), "working");
    }
    EXPECT_EQ(run(ending).status, 0);
    EXPECT_EQ(notes(), "stop\nworked\n");
    EXPECT_EQ(program->waitForOwnEnd().status, 0);
  }
}

TEST_F(Lifecycle, AProgramThatAWorkerExecutesDoesNotInheritIgnoredSignals) {
  start();
  EXPECT_EQ(run({"stop"}).status, 0);
  EXPECT_EQ(notes(), "stop\n");
}

}  // namespace
}  // namespace stormo
