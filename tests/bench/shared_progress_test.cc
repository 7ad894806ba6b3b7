#include "bench/shared_progress.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

namespace stormo::bench {
namespace {

TEST(FirstText, IsNotReplaced) {
  FirstText text;
  EXPECT_FALSE(text.isSet());
  EXPECT_EQ(text.text(), "");
  text.set("the first");
  text.set("the second, which is longer");
  EXPECT_TRUE(text.isSet());
  EXPECT_EQ(text.text(), "the first");
}

TEST(FirstText, IsCutAtItsMaximumLength) {
  FirstText text;
  text.set(std::string(FirstText::kBytesMax, 'a') + "b");
  EXPECT_EQ(text.text(), std::string(FirstText::kBytesMax, 'a'));
}

TEST(SharedProgress, ShowsTheProgressOfAnotherProcess) {
  const SharedProgress progress(2, 3);
  const pid_t child = ::fork();
  if (child == 0) {
    ProcessProgress& own = progress.process(1);
    own.delivered.set(5);
    own.latency.record(70);
    own.firstFault.set("set by the child");
    progress.publishedTo(2) += 9;
    own.reached.store(Phase::Stop);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(progress.sum(&ProcessProgress::delivered), 5u);
  EXPECT_EQ(progress.process(1).latency.max(), 70u);
  EXPECT_EQ(progress.firstFault(), "set by the child");
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

TEST(SharedProgress, AllReachedWhenTheLastProcessIsInThatPhaseOrLater) {
  const SharedProgress progress(2, 1);
  EXPECT_TRUE(progress.allReached(Phase::Connect));
  progress.process(0).reached.store(Phase::Measure);
  EXPECT_FALSE(progress.allReached(Phase::WarmUp));
  progress.process(1).reached.store(Phase::WarmUp);
  EXPECT_TRUE(progress.allReached(Phase::WarmUp));
  EXPECT_FALSE(progress.allReached(Phase::Measure));
}

TEST(SharedProgress, AllProbedWhenEachProcessHasSentItsProbes) {
  const SharedProgress progress(2, 1);
  progress.process(0).probed.store(2);
  progress.process(1).probed.store(1);
  EXPECT_TRUE(progress.allProbed(1));
  EXPECT_FALSE(progress.allProbed(2));
}

}  // namespace
}  // namespace stormo::bench
