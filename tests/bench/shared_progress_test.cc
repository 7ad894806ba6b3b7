#include "bench/shared_progress.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

namespace stormo::bench {
namespace {

TEST(FirstWords, AreKeptAndNotReplaced) {
  FirstWords words;
  EXPECT_FALSE(words.areSaid());
  EXPECT_EQ(words.text(), "");
  words.say("the first");
  words.say("the second, which is longer");
  EXPECT_TRUE(words.areSaid());
  EXPECT_EQ(words.text(), "the first");
}

TEST(FirstWords, AreCutWhereTheirRoomEnds) {
  FirstWords words;
  words.say(std::string(FirstWords::kBytesMax, 'a') + "b");
  EXPECT_EQ(words.text(), std::string(FirstWords::kBytesMax, 'a'));
}

TEST(SharedProgress, ShowsWhatAnotherProcessTells) {
  const SharedProgress progress(2, 3);
  const pid_t child = ::fork();
  if (child == 0) {
    ProcessProgress& own = progress.process(1);
    own.delivered.set(5);
    own.latency.record(70);
    own.firstFault.say("told by the child");
    progress.publishedTo(2) += 9;
    own.reached.store(Phase::Stop);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(progress.sum(&ProcessProgress::delivered), 5u);
  EXPECT_EQ(progress.process(1).latency.max(), 70u);
  EXPECT_EQ(progress.firstFault(), "told by the child");
  EXPECT_EQ(progress.publishedTo(2), 9u);
  EXPECT_EQ(progress.publishedTo(1), 0u);
  EXPECT_EQ(progress.process(1).reached.load(), Phase::Stop);
}

TEST(SharedProgress, SumsUpAllProcesses) {
  const SharedProgress progress(3, 1);
  for (std::size_t i = 0; i < 3; ++i) progress.process(i).open.set(i + 1);
  EXPECT_EQ(progress.sum(&ProcessProgress::open), 6u);
  EXPECT_EQ(progress.sum(&ProcessProgress::closed), 0u);
  EXPECT_EQ(progress.firstFault(), "");
}

TEST(SharedProgress, APhaseIsReachedByAllWhenTheLastHasReachedItOrALaterOne) {
  const SharedProgress progress(2, 1);
  EXPECT_TRUE(progress.allReached(Phase::Connect));
  progress.process(0).reached.store(Phase::Measure);
  EXPECT_FALSE(progress.allReached(Phase::WarmUp));
  progress.process(1).reached.store(Phase::WarmUp);
  EXPECT_TRUE(progress.allReached(Phase::WarmUp));
  EXPECT_FALSE(progress.allReached(Phase::Measure));
}

TEST(SharedProgress, ARoundIsProbedWhenAllHaveSentTheirProbes) {
  const SharedProgress progress(2, 1);
  progress.process(0).probed.store(2);
  progress.process(1).probed.store(1);
  EXPECT_TRUE(progress.allProbed(1));
  EXPECT_FALSE(progress.allProbed(2));
}

}  // namespace
}  // namespace stormo::bench
