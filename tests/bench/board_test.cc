#include "bench/board.h"

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

TEST(Board, ShowsWhatAnotherProcessTells) {
  const Board board(2, 3);
  const pid_t child = ::fork();
  if (child == 0) {
    ProcessBoard& own = board.process(1);
    own.delivered.set(5);
    own.latency.record(70);
    own.firstFault.say("told by the child");
    board.publishedTo(2) += 9;
    own.reached.store(Phase::Stop);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(board.sum(&ProcessBoard::delivered), 5u);
  EXPECT_EQ(board.process(1).latency.max(), 70u);
  EXPECT_EQ(board.firstFault(), "told by the child");
  EXPECT_EQ(board.publishedTo(2), 9u);
  EXPECT_EQ(board.publishedTo(1), 0u);
  EXPECT_EQ(board.process(1).reached.load(), Phase::Stop);
}

TEST(Board, SumsUpAllProcesses) {
  const Board board(3, 1);
  for (std::size_t i = 0; i < 3; ++i) board.process(i).open.set(i + 1);
  EXPECT_EQ(board.sum(&ProcessBoard::open), 6u);
  EXPECT_EQ(board.sum(&ProcessBoard::closed), 0u);
  EXPECT_EQ(board.firstFault(), "");
}

TEST(Board, APhaseIsReachedByAllWhenTheLastHasReachedItOrALaterOne) {
  const Board board(2, 1);
  EXPECT_TRUE(board.allReached(Phase::Connect));
  board.process(0).reached.store(Phase::Measure);
  EXPECT_FALSE(board.allReached(Phase::WarmUp));
  board.process(1).reached.store(Phase::WarmUp);
  EXPECT_TRUE(board.allReached(Phase::WarmUp));
  EXPECT_FALSE(board.allReached(Phase::Measure));
}

TEST(Board, ARoundIsProbedWhenAllHaveSentTheirProbes) {
  const Board board(2, 1);
  board.process(0).probed.store(2);
  board.process(1).probed.store(1);
  EXPECT_TRUE(board.allProbed(1));
  EXPECT_FALSE(board.allProbed(2));
}

}  // namespace
}  // namespace stormo::bench
