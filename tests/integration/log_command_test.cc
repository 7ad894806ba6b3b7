// `stormo log`, with a log that a FileLog of this process writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "channel/log/log_fixture.h"
#include "channel/log/real_log_directory.h"
#include "protocol/channel/packet.h"
#include "support/deadline.h"
#include "support/spawned_program.h"
#include "support/temp_directory.h"

namespace stormo::integration {
namespace {

using channel::Kind;
using test::Outcome;
using test::SpawnedProgram;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LogCommand : public test::LoopTest {
 protected:
  void writeLog() {
    const auto directory = std::move(channel::RealLogDirectory::at(place.path()).value());
    test::LogRun run(*directory, {});
    ASSERT_TRUE(run.log.open(run.state, [] {}).ok());
    for (std::uint64_t sequence = 1; sequence <= 3; ++sequence) {
      const std::string packet = channel::encode({.kind = Kind::Publish,
                                                  .space = channel::Space::Groups,
                                                  .sequence = sequence,
                                                  .channel = "room\x1b",
                                                  .payload = "secret"});
      run.log.append(test::recordOf(packet.substr(4)), 1);
    }
  }
  void damage() const {
    const std::string segment = place.file("00000000000000000001.log");
    std::filesystem::resize_file(segment, std::filesystem::file_size(segment) - 1);
  }
  [[nodiscard]] Outcome log(std::vector<std::string> options) const {
    options.insert(options.begin(), {STORMO_BIN_DIR "/stormo", "log"});
    return SpawnedProgram(deadline, options).waitForEnd();
  }

  test::TempDirectory place;
  test::Deadline deadline;
};

TEST_F(LogCommand, ShowsWhatALogHoldsButNoPayload) {
  writeLog();
  const Outcome shown = log({place.path(), "--verify"});
  EXPECT_EQ(shown.status, 0) << shown.errors;
  EXPECT_THAT(shown.output, AllOf(HasSubstr("00000000000000000001.log  1 to 3"),
                                  HasSubstr("Publish  3"), HasSubstr("room\\x1b")));
  EXPECT_EQ(shown.output.find("secret"), std::string::npos);
  EXPECT_THAT(shown.errors, IsEmpty());
}

TEST_F(LogCommand, PrintsJson) {
  writeLog();
  const Outcome shown = log({place.path(), "--json"});
  EXPECT_EQ(shown.status, 0) << shown.errors;
  const auto json = nlohmann::json::parse(shown.output);
  EXPECT_EQ(json.at("records"), 3);
  EXPECT_EQ(json.at("segments").at(0).at("first"), 1);
  EXPECT_EQ(json.at("mark").at("offset"), 3);
  EXPECT_EQ(json.at("groups").at(0).at("messages"), 3);
  EXPECT_TRUE(json.at("damage").empty());
}

TEST_F(LogCommand, NamesDamageAndFailsOnlyWithVerify) {
  writeLog();
  damage();
  EXPECT_EQ(log({place.path()}).status, 0);
  const Outcome verified = log({"--verify", place.path()});
  EXPECT_EQ(verified.status, 1);
  EXPECT_THAT(verified.output,
              HasSubstr("damaged: 00000000000000000001.log at byte 154: offset 3 cannot be read"));
}

TEST_F(LogCommand, ReportsADirectoryThatItCannotRead) {
  const Outcome missing = log({place.file("none")});
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.errors, HasSubstr("none: open: No such file or directory"));
  EXPECT_EQ(log({}).status, 2);
}

}  // namespace
}  // namespace stormo::integration
