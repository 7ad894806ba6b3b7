// The systemd unit and the logrotate snippet.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "integration/harness/with_stormo.h"
#include "package/checked_file.h"

namespace stormo::package {
namespace {

using testing::HasSubstr;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

class Service : public testing::Test {
 protected:
  /// The exit status of systemd-analyze's score of a unit: 0 if its exposure is below 2.0.
  test::Outcome score(const std::string& text) {
    const std::string path = folder.path() + "/stormo.service";
    write(path, text);
    // The threshold is ten times the exposure.
    return run(
        {"systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=19", path});
  }

  const test::TempDirectory folder;
  const std::string unit = textOf("packaging/stormo.service");
};

TEST_F(Service, TheUnitIsValid) {
  if (!isHere("systemd-analyze")) GTEST_SKIP() << "no systemd-analyze here";
  const std::string path = folder.path() + "/stormo.service";
  write(path, replaced(unit, "/usr/bin/stormo", STORMO_BIN_DIR "/stormo"));
  const test::Outcome verified =
      run({"systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path});
  EXPECT_EQ(verified.status, 0) << verified.errors;
  EXPECT_EQ(verified.errors, "");
}

TEST_F(Service, TheExposureIsBelowTwo) {
  if (!isHere("systemd-analyze")) GTEST_SKIP() << "no systemd-analyze here";
  const test::Outcome whole = score(unit);
  EXPECT_EQ(whole.status, 0) << whole.output << whole.errors;
  EXPECT_NE(score(replaced(unit, "SystemCallFilter=", "#")).status, 0)
      << "the score is not checked";
}

TEST_F(Service, TheUnitUsesTheUserFilesAndDirectoriesOfThePackage) {
  EXPECT_THAT(unit, HasSubstr("\nUser=stormo\n"));
  EXPECT_THAT(textOf("packaging/debian/postinst"), HasSubstr("stormo\n"));
  EXPECT_THAT(unit,
              HasSubstr("ExecStart=/usr/bin/stormo start --config /etc/stormo/stormo.toml\n"));
  EXPECT_THAT(textOf("packaging/debian/conffiles"), HasSubstr("/etc/stormo/stormo.toml\n"));
  EXPECT_THAT(unit, HasSubstr("\nEnvironment=STORMO_RUNTIME_DIR=/var/lib/stormo\n"));
  EXPECT_THAT(unit, HasSubstr("\nStateDirectory=stormo/stormo\n"));
}

class LogRotation : public integration::WithStormo {};

TEST_F(LogRotation, TheSnippetRotatesTheLogOfARunningDaemon) {
  if (!isHere("logrotate")) GTEST_SKIP() << "no logrotate here";
  ASSERT_EQ(
      stormo.run({"start", "-d", "--listen", "websocket://127.0.0.1:0", "--workers", "1"}).status,
      0);
  const std::string instances = stormo.folder() + "/run";
  const std::string log = instances + "/stormo/log";
  ASSERT_GT(std::filesystem::file_size(log), 0u);

  std::string snippet = textOf("packaging/stormo.logrotate");
  snippet = replaced(snippet, "/var/lib/stormo/*/log", instances + "/*/log");
  snippet = replaced(snippet, "--runtime-dir /var/lib/stormo", "--runtime-dir " + instances);
  snippet = replaced(snippet, "        stormo ", "        " STORMO_BIN_DIR "/stormo ");
  const std::string path = stormo.folder() + "/snippet";
  write(path, snippet);
  std::filesystem::permissions(path, std::filesystem::perms(0644));
  const test::Outcome rotated =
      run({"logrotate", "--force", "--state", stormo.folder() + "/state", path});
  EXPECT_EQ(rotated.status, 0) << rotated.errors;
  EXPECT_EQ(rotated.errors, "");
  EXPECT_TRUE(std::filesystem::exists(log + ".1"));
  // The master has answered reopen-log, so the new file is there.
  EXPECT_TRUE(std::filesystem::exists(log));
  stormo.succeed({"stop"});
}

}  // namespace
}  // namespace stormo::package
