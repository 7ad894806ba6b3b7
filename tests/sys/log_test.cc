#include "sys/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "support/temp_directory.h"
#include "sys/unique_fd.h"

namespace stormo {
namespace {

using testing::EndsWith;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;

/// Stands in for stderr, and keeps apart what came in separate write() calls.
class Stderr {
 public:
  Stderr() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) throw std::runtime_error("socketpair");
    read_.reset(ends[0]);
    saved_.reset(::dup(STDERR_FILENO));
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
  }
  ~Stderr() { ::dup2(saved_.get(), STDERR_FILENO); }
  std::vector<std::string> writes() const {
    std::vector<std::string> all;
    char buffer[64 << 10];
    ssize_t count = 0;
    while ((count = ::recv(read_.get(), buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
      all.emplace_back(buffer, static_cast<std::size_t>(count));
    }
    return all;
  }

 private:
  UniqueFd read_;
  UniqueFd saved_;
};

class LogTest : public testing::Test {
 protected:
  ~LogTest() override {
    log::setLevel(log::Level::Info);
    log::setProcessName("main");
  }
};

TEST_F(LogTest, ALineHasTimeLevelPidProcessAndSentenceInOneWrite) {
  log::setProcessName("worker chat/2");
  const Stderr stderrNow;
  log::info("listening address={} backlog={}", "127.0.0.1:80", 4096);
  const auto writes = stderrNow.writes();
  ASSERT_THAT(writes, SizeIs(1));
  EXPECT_THAT(writes[0],
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}\\.[0-9]{3} info pid=" +
                           std::to_string(::getpid()) +
                           " process=worker chat/2 listening address=127.0.0.1:80 backlog=4096\n"));
}

TEST_F(LogTest, ALongLineIsStillOneWrite) {
  const Stderr stderrNow;
  log::error("{}", std::string(20'000, 'x'));
  EXPECT_THAT(stderrNow.writes(), SizeIs(1));
}

TEST_F(LogTest, WhatIsLoggedCannotMakeItselfASecondLine) {
  const Stderr stderrNow;
  log::error("a handler threw what=\"{}\"", "oops\nerror pid=1 \x1b[2J\r");
  const auto writes = stderrNow.writes();
  ASSERT_THAT(writes, SizeIs(1));
  EXPECT_THAT(writes[0], EndsWith("what=\"oops\\x0aerror pid=1 \\x1b[2J\\x0d\"\n"));
}

TEST_F(LogTest, LevelsBelowTheChosenOneAreSilent) {
  const Stderr stderrNow;
  log::debug("a peer broke its protocol");
  EXPECT_THAT(stderrNow.writes(), IsEmpty());
  EXPECT_FALSE(log::enabled(log::Level::Debug));
  log::setLevel(log::Level::Debug);
  log::debug("a peer broke its protocol");
  EXPECT_THAT(stderrNow.writes(), SizeIs(1));
  log::setLevel(log::Level::Error);
  log::warning("mended");
  EXPECT_THAT(stderrNow.writes(), IsEmpty());
  log::error("mend this");
  EXPECT_THAT(stderrNow.writes(), SizeIs(1));
}

TEST_F(LogTest, AFileThatCannotBeOpenedIsReportedAndChangesNothing) {
  const test::TempDirectory directory;
  const std::string file = directory.file("file");
  std::ofstream(file) << "not a directory";
  const Stderr stderrNow;
  EXPECT_FALSE(log::openFile(file + "/stormo.log"));
  log::error("still here");
  EXPECT_THAT(stderrNow.writes(), SizeIs(1));
}

TEST_F(LogTest, AppendsToAFile) {
  const test::TempDirectory directory;
  const std::string path = directory.file("stormo.log");
  std::ofstream(path) << "before\n";
  // In a process of its own: there is no way back to stderr.
  EXPECT_EXIT(
      {
        if (!log::openFile(path)) std::_Exit(1);
        log::error("after");
        std::_Exit(0);
      },
      testing::ExitedWithCode(0), "");
  std::ifstream file(path);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(text, MatchesRegex("before\n.* error pid=[0-9]+ process=main after\n"));
}

}  // namespace
}  // namespace stormo
