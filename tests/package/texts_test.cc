// The man page and the sample configuration file, as the program prints them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/environment.h"
#include "package/checked_file.h"
#include "support/temp_directory.h"

namespace stormo::package {
namespace {

using testing::HasSubstr;

/// What `man` warns about in a page.
std::string warningsOf(const std::string& page) {
  const test::TempDirectory folder;
  write(folder.path() + "/stormo.1", page);
  return run({"env", "LC_ALL=C.UTF-8", "MANROFFSEQ=", "man", "--warnings", "-E", "UTF-8", "-l",
              "-Tutf8", "-Z", folder.path() + "/stormo.1"})
      .errors;
}

/// A page without the marks of man(7): "\-" is "-".
std::string plain(std::string page) {
  for (const char* mark : {"\\fB", "\\fI", "\\fR", "\\&"}) {
    for (std::size_t at; (at = page.find(mark)) != page.npos;) {
      page.erase(at, std::string(mark).size());
    }
  }
  for (std::size_t at; (at = page.find("\\-")) != page.npos;) page.erase(at, 1);
  return page;
}

TEST(ManPage, HasNoWarnings) {
  if (!isHere("man")) GTEST_SKIP() << "no man here";
  const std::string page = printed("man");
  EXPECT_EQ(warningsOf(page), "");
  EXPECT_NE(warningsOf(page + ".nosuchmacro\n"), "") << "warnings are not seen";
}

TEST(ManPage, HasEveryCommandThatHelpHas) {
  const std::string page = plain(printed("man"));
  for (const char* command :
       {"start",       "restart", "stop",         "reload",        "reopen-log", "status",
        "connections", "nodes",   "check-config", "channel start", "bench",      "log",
        "dev-cert",    "token",   "api-key",      "pub",           "sub",        "clients",
        "groups",      "users",   "kick",         "print"}) {
    EXPECT_THAT(page, HasSubstr(".SS stormo " + std::string(command))) << command;
  }
  EXPECT_THAT(page,
              HasSubstr("\n.TP\n-m, --members UINT\nNumber of connections (default: 1000).\n"))
      << page;
}

TEST(ManPage, HasEverySettingWithFlagVariableAndDefault) {
  const std::string page = plain(printed("man"));
  for (const config::SettingSpec& spec : config::settingSpecs()) {
    EXPECT_THAT(page, HasSubstr("\n.TP\n" + std::string(spec.key) + "\n"));
    EXPECT_THAT(page, HasSubstr("\nFlag " + std::string(spec.flag) + ", variable " +
                                variableOf(spec) + ", default "));
  }
}

TEST(ManPage, NamesNoDirectoryOfTheUserWhoBuiltIt) {
  const test::Outcome page =
      run({"setpriv", "--reuid=65534", "--clear-groups", STORMO_BIN_DIR "/stormo", "print", "man"});
  if (page.status != 0) GTEST_SKIP() << "needs root, and a program that others may run";
  EXPECT_EQ(page.output, printed("man"));
}

TEST(SampleFile, CheckConfigAcceptsIt) {
  const test::TempDirectory folder;
  const std::string path = folder.path() + "/stormo.toml";
  write(path, printed("config"));
  const test::Outcome check =
      run({STORMO_BIN_DIR "/stormo", "--runtime-dir", folder.path(), "check-config", path});
  EXPECT_EQ(check.status, 0) << check.errors;
  EXPECT_EQ(check.output, path + ": ok\n");
}

TEST(Print, AnUnknownTextIsAnErrorThatNamesTheKnownOnes) {
  const test::Outcome wrong = run({STORMO_BIN_DIR "/stormo", "print", "mann"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_EQ(wrong.output, "");
  EXPECT_THAT(wrong.errors, HasSubstr("bash-completion"));
}

}  // namespace
}  // namespace stormo::package
