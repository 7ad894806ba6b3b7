// A program's own options: on the command line, in the help, in main, after a restart.
#include <gmock/gmock.h>
#include <stormo/program_options.h>
#include <stormo/version.h>
#include <sys/socket.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "sys/sockets.h"
#include "worker/program_fixture.h"

namespace stormo {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

class Options : public ProgramTest {
 protected:
  Options() : ProgramTest("options_program") {}
  ~Options() override { run({"stop"}); }
};

TEST_F(Options, ValuesHaveTheirDefaults) {
  start();
  EXPECT_EQ(notes(), "port=0 loud=0 ratio=0.5 motto=none friends= file=\n");
}

TEST_F(Options, ValuesAreReadableInMainBeforeRunAll) {
  // The port is free: this socket does not listen.
  const UniqueFd taken(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Address any = Address::ip("127.0.0.1", 0).value();
  const int on = 1;
  ASSERT_EQ(::setsockopt(taken.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
  ASSERT_EQ(::bind(taken.get(), any.raw(), any.size()), 0);
  const std::uint16_t free = localAddress(taken.get()).port();
  const test::Outcome started =
      run({"start", "-d", "--port", std::to_string(free), "--loud", "--ratio=0.25", "--motto",
           "two words", "--friend", "ann", "bob", "--friend=cid", "--file", "/etc/../x"});
  EXPECT_EQ(started.status, 0) << started.errors;
  EXPECT_EQ(port(), free);
  EXPECT_EQ(notes(), "port=" + std::to_string(free) +
                         " loud=1 ratio=0.25 motto=two words friends=ann,bob,cid, file=/x\n");
}

TEST_F(Options, StartHelpShowsOptionsWithTheirDefaults) {
  for (const char* command : {"start", "restart"}) {
    EXPECT_THAT(run({command, "--help"}).output,
                AllOf(HasSubstr("Options of this program:"),
                      ContainsRegex("--port UINT=0 +Port that clients connect to\n"),
                      ContainsRegex("--loud +Write more\n"), HasSubstr("--motto TEXT=none "),
                      HasSubstr("--friend TEXT ... ")));
  }
  EXPECT_THAT(run({"--help"}).output, HasSubstr("A test program"));
  EXPECT_THAT(run({"stop", "--help"}).output, testing::Not(HasSubstr("--port")));
}

TEST_F(Options, VersionStatesTheProgramsOwnAndStormos) {
  EXPECT_EQ(run({"--version"}).output, "options_program 1.2.3 (Stormo " STORMO_VERSION ")\n");
}

TEST_F(Options, InvalidValuesAreRejectedBeforeAnythingStarts) {
  const auto expectRefused = [&](const test::Words& words, const std::string& reason) {
    const test::Outcome outcome = run(words);
    EXPECT_EQ(outcome.status, 2);
    EXPECT_THAT(outcome.errors, HasSubstr(reason));
    EXPECT_EQ(notes(), "");
  };
  expectRefused({"start", "--port", "70000"}, "--port");
  expectRefused({"start", "--port", "-1"}, "--port");
  expectRefused({"start", "--ratio", "half"}, "--ratio");
  expectRefused({"start", "--prot", "1"}, "unknown option '--prot', did you mean '--port'?");
}

TEST_F(Options, RestartReusesOptionsAndReplacesThoseGiven) {
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(directory.path());
  EXPECT_EQ(run({"start", "-d", "--motto", "two words", "--loud", "--friend", "ann", "bob",
                 "--file", "my.file"})
                .status,
            0);
  std::filesystem::current_path(here);
  const std::string file = directory.file("my.file");
  EXPECT_EQ(notes(),
            "port=0 loud=1 ratio=0.5 motto=two words friends=ann,bob, file=" + file + "\n");
  const test::Outcome again = run({"restart", "-d", "--ratio", "2", "--friend", "cid"});
  EXPECT_EQ(again.status, 0) << again.errors;
  EXPECT_THAT(again.output, HasSubstr("'--motto=two words'"));
  EXPECT_EQ(notes(), "port=0 loud=1 ratio=2 motto=two words friends=cid, file=" + file + "\n");
}

TEST_F(Options, RunAllParsesIfMainHasNot) {
  setVariable("LATE=1");
  EXPECT_EQ(run({"start", "-d", "--motto", "late"}).status, 0);
  EXPECT_THAT(notes(), HasSubstr("motto=late"));
  EXPECT_EQ(run({"--version"}).status, 0);
  EXPECT_EQ(run({"start", "--port", "x"}).status, 2);
}

TEST(ProgramOptionsTest, ANameInUseOrMalformedIsRejected) {
  char name[] = "program";
  char* argv[] = {name, nullptr};
  ProgramOptions options(1, argv);
  int value = 0;
  options.add("--mine", value, "");
  for (const char* wrong : {"--mine", "--log", "--daemon", "--instance", "--help", "--version",
                            "mine", "-m", "--", "--bad name"}) {
    EXPECT_THROW(options.add(wrong, value, ""), std::invalid_argument) << wrong;
  }
}

}  // namespace
}  // namespace stormo
