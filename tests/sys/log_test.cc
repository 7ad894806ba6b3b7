#include "sys/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>
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

/// Replaces stderr, and returns each write() call separately.
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
    log::setFormat(log::Format::Text);
    log::setRole("main");
  }

  template <typename... Args>
  static std::string lineOf(fmt::format_string<Args...> format, const Args&... args) {
    const Stderr stderrNow;
    log::write(log::Level::Error, format, fmt::make_format_args(args...));
    const auto writes = stderrNow.writes();
    EXPECT_THAT(writes, SizeIs(1));
    return writes.empty() ? std::string() : writes[0];
  }
};

TEST_F(LogTest, ATextLineHasTimeLevelPidRoleMessageAndFieldsInOneWrite) {
  log::setRole("master");
  const Stderr stderrNow;
  log::info("listening address={} backlog={}", "127.0.0.1:80", 4096);
  const auto writes = stderrNow.writes();
  ASSERT_THAT(writes, SizeIs(1));
  EXPECT_THAT(writes[0],
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}[+-][0-9]{2}:[0-9]{2} "
                           "info pid=" +
                           std::to_string(::getpid()) +
                           " role=master listening address=127.0.0.1:80 backlog=4096\n"));
}

TEST_F(LogTest, AJsonLineHasTheSameFields) {
  log::setRole("worker chat/2");
  log::setFormat(log::Format::Json);
  EXPECT_THAT(lineOf("listening address={} backlog={} slow={}", "127.0.0.1:80", 4096, true),
              MatchesRegex("\\{\"time\":\"[0-9T:.+-]+\",\"level\":\"error\",\"pid\":" +
                           std::to_string(::getpid()) +
                           ",\"role\":\"worker chat/2\",\"message\":\"listening\","
                           "\"address\":\"127.0.0.1:80\",\"backlog\":4096,\"slow\":true\\}\n"));
}

TEST_F(LogTest, ALongLineIsStillOneWrite) {
  const Stderr stderrNow;
  log::error("{}", std::string(20'000, 'x'));
  EXPECT_THAT(stderrNow.writes(), SizeIs(1));
}

TEST_F(LogTest, ValuesWithQuotesNewlinesAndControlBytesAreEscapedInText) {
  EXPECT_THAT(lineOf("threw what=\"{}\"", "oops\nerror pid=1 \x1b[2J\r"),
              EndsWith(" threw what=\"oops\\nerror pid=1 \\x1b[2J\\r\"\n"));
  EXPECT_THAT(lineOf("threw what=\"{}\"", "quoted \"no\" in C:\\"),
              EndsWith(" what=\"quoted \\\"no\\\" in C:\\\\\"\n"));
  EXPECT_THAT(lineOf("a what={} b={}", "two words", "k=v"),
              EndsWith(" a what=\"two words\" b=\"k=v\"\n"));
  EXPECT_THAT(lineOf("a what={} b={}", "", "word"), EndsWith(" a what=\"\" b=word\n"));
  EXPECT_THAT(lineOf("a what={} b={}", "né", "\xff\xc2\x9b"),
              EndsWith(" a what=né b=\"\\xff\\xc2\\x9b\"\n"));
}

TEST_F(LogTest, ValuesWithQuotesNewlinesAndControlBytesAreEscapedInJson) {
  log::setFormat(log::Format::Json);
  EXPECT_THAT(lineOf("threw what=\"{}\"", "quoted \"no\"\n\\ \x1b[2J\x7f né \xff\xed\xa0\x80"),
              EndsWith("\"what\":\"quoted \\\"no\\\"\\n\\\\ \\u001b[2J\\u007f né "
                       "\\ufffd\\ufffd\\ufffd\\ufffd\"}\n"));
  EXPECT_THAT(lineOf("a number=\"{}\" text={}", 7, "7"),
              EndsWith("\"number\":\"7\",\"text\":\"7\"}\n"));
}

TEST_F(LogTest, TextOutsideTheFieldsIsTheMessage) {
  EXPECT_THAT(lineOf("cannot accept reason=\"{}\" (raise the limit: ulimit -n, NOFILE=)", "no"),
              EndsWith(" cannot accept (raise the limit: ulimit -n, NOFILE=) reason=\"no\"\n"));
  EXPECT_THAT(lineOf("no {} of {} left count={}", "file", "them", 3),
              EndsWith(" no file of them left count=3\n"));
}

TEST_F(LogTest, NewlinesInAMessageAreEscaped) {
  const Stderr stderrNow;
  log::info("first\n{\"level\":\"error\"} \x1b[2J {} \"quoted\"");
  log::setFormat(log::Format::Json);
  log::info("first\nsecond \"quoted\"");
  const auto writes = stderrNow.writes();
  ASSERT_THAT(writes, SizeIs(2));
  EXPECT_THAT(writes[0], EndsWith(" first\\n{\"level\":\"error\"} \\x1b[2J {} \"quoted\"\n"));
  EXPECT_THAT(writes[1], EndsWith("\"message\":\"first\\nsecond \\\"quoted\\\"\"}\n"));
}

TEST_F(LogTest, LinesBelowTheLevelAreNotWritten) {
  const Stderr stderrNow;
  log::debug("protocol violation");
  EXPECT_THAT(stderrNow.writes(), IsEmpty());
  EXPECT_FALSE(log::enabled(log::Level::Debug));
  log::setLevel(log::Level::Debug);
  log::debug("protocol violation code={}", 1002);
  EXPECT_THAT(stderrNow.writes(), SizeIs(1));
  log::setLevel(log::Level::Error);
  log::warning("recovered");
  log::warning("recovered after_ms={}", 5);
  EXPECT_THAT(stderrNow.writes(), IsEmpty());
  log::error("a person must act");
  EXPECT_THAT(stderrNow.writes(), SizeIs(1));
}

TEST_F(LogTest, LevelsAndFormatsAreFoundByName) {
  EXPECT_EQ(log::levelNamed("debug"), log::Level::Debug);
  EXPECT_EQ(log::levelNamed("error"), log::Level::Error);
  EXPECT_EQ(log::levelNamed("loud"), std::nullopt);
  EXPECT_EQ(log::formatNamed("json"), log::Format::Json);
  EXPECT_EQ(log::formatNamed("xml"), std::nullopt);
}

TEST_F(LogTest, OpenFileFailureIsReportedAndChangesNothing) {
  const test::TempDirectory directory;
  const std::string file = directory.file("file");
  std::ofstream(file) << "not a directory";
  const Stderr stderrNow;
  EXPECT_FALSE(log::openFile(file + "/stormo.log"));
  log::error("still here");
  EXPECT_THAT(stderrNow.writes(), SizeIs(1));
}

std::string contentOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Runs in another process, because the log cannot return to stderr.
void inAProcess(const std::function<bool()>& body) {
  EXPECT_EXIT(std::_Exit(body() ? 0 : 1), testing::ExitedWithCode(0), "");
}

TEST_F(LogTest, AppendsToAFile) {
  const test::TempDirectory directory;
  const std::string path = directory.file("stormo.log");
  std::ofstream(path) << "before\n";
  inAProcess([&] {
    if (!log::openFile(path)) return false;
    log::error("after");
    return true;
  });
  EXPECT_THAT(contentOf(path), MatchesRegex("before\n.* error pid=[0-9]+ role=main after\n"));
}

TEST_F(LogTest, ReopenAfterRenameWritesToANewFile) {
  const test::TempDirectory directory;
  const std::string path = directory.file("stormo.log");
  inAProcess([&] {
    if (!log::openFile(path)) return false;
    log::captureStandardOutput();
    log::error("one");
    if (::rename(path.c_str(), (path + ".1").c_str()) != 0) return false;
    log::error("two");
    UniqueFd again = log::openAgain();
    if (!again.valid()) return false;
    log::useFile(std::move(again));
    log::error("three");
    std::fputs("printed\n", stdout);
    std::fputs("crash text\n", stderr);
    return true;
  });
  EXPECT_THAT(contentOf(path + ".1"), MatchesRegex(".* one\n.* two\n"));
  EXPECT_THAT(contentOf(path), MatchesRegex(".* three\nprinted\ncrash text\n"));
}

TEST_F(LogTest, ALogOnStderrHasNoPathAndCannotBeReopened) {
  EXPECT_EQ(log::filePath(), "");
  EXPECT_FALSE(log::openAgain().valid());
}

}  // namespace
}  // namespace stormo
