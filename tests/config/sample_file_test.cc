#include "config/sample_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "support/temp_directory.h"

namespace stormo::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> complaintsOf(const std::string& text, Settings& settings) {
  const test::TempDirectory folder;
  const std::string path = folder.path() + "/stormo.toml";
  std::ofstream(path) << text;
  return applyFile(path, settings);
}

/// The sample with the comment sign removed from each setting that has a default.
std::string withDefaultsSet() {
  return std::regex_replace(sampleFile(),
                            std::regex("\n#([a-z0-9-]+ = [^\"\n]|[a-z0-9-]+ = \"[^\"])"), "\n$1");
}

TEST(SampleFile, ItIsValidAndListensOnLoopback) {
  Settings settings;
  EXPECT_THAT(complaintsOf(sampleFile(), settings), IsEmpty());
  EXPECT_THAT(settings.listen, testing::ElementsAre("websocket://127.0.0.1:1234"));
}

TEST(SampleFile, EverySettingOccursOnceInItsTable) {
  for (const SettingSpec& spec : settingSpecs()) {
    const std::string key = spec.key;
    const std::size_t dot = key.rfind('.');
    const std::string text = sampleFile();
    const std::size_t table = dot == key.npos ? 0 : text.find("\n[" + key.substr(0, dot) + "]\n");
    ASSERT_NE(table, text.npos) << key;
    const std::string section = text.substr(table, text.find("\n[", table + 1) - table);
    const std::regex line("\n#?" + (dot == key.npos ? key : key.substr(dot + 1)) + " = ");
    EXPECT_EQ(std::distance(std::sregex_iterator(section.begin(), section.end(), line), {}), 1)
        << key;
    EXPECT_EQ(text.find(spec.flag + std::string(" ")), text.npos) << "a flag in a file: " << key;
  }
}

TEST(SampleFile, ItShowsTheDefaultsAsTheFileHasThem) {
  Settings settings;
  const std::string text = withDefaultsSet();
  EXPECT_THAT(text, HasSubstr("\nping-interval = 30\n"));
  EXPECT_THAT(text, HasSubstr("\nlevel = \"info\"\n"));
  EXPECT_THAT(complaintsOf(text, settings), IsEmpty());
  const Settings defaults;
  settings.listen = defaults.listen;
  for (const SettingSpec& spec : settingSpecs()) {
    std::visit([&](auto member) { EXPECT_EQ(settings.*member, defaults.*member) << spec.key; },
               spec.member);
  }
}

TEST(SampleFile, LinesAreAtMostAHundredColumns) {
  std::istringstream lines(sampleFile());
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
}

TEST(SampleFile, TextIsWrappedAtSpaces) {
  EXPECT_EQ(wrapped("one two three", "# ", 9), "# one two\n# three\n");
  EXPECT_EQ(wrapped("a-word-longer-than-the-line b", "# ", 9),
            "# a-word-longer-than-the-line\n# b\n");
  EXPECT_EQ(wrapped("", "# ", 9), "");
}

TEST(SampleFile, EverySettingIsInTheManual) {
  std::ifstream file(STORMO_SOURCE_DIR "/docs/operation.md");
  std::ostringstream text;
  text << file.rdbuf();
  for (const SettingSpec& spec : settingSpecs()) {
    EXPECT_THAT(text.str(), HasSubstr(spec.flag))
        << "docs/operation.md has no row for " << spec.key;
  }
}

}  // namespace
}  // namespace stormo::config
