// The Dockerfile, as far as it can be checked without building an image.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <sstream>

#include "package/checked_file.h"

namespace stormo::package {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// The instructions, each on one line.
std::vector<std::string> instructions() {
  const std::string text =
      std::regex_replace(textOf("Dockerfile"), std::regex("\\s*\\\\\n\\s*"), " ");
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && line.front() != '#') lines.push_back(line);
  }
  return lines;
}

bool isOneOf(const std::string& instruction, std::initializer_list<const char*> known) {
  const std::string word = instruction.substr(0, instruction.find(' '));
  return std::ranges::find(known, word) != known.end();
}

TEST(Container, TheDockerfileHasKnownInstructionsAndEndsAsAnotherUser) {
  bool isRoot = true;
  std::string text;
  for (const std::string& line : instructions()) {
    EXPECT_TRUE(isOneOf(line, {"FROM", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE",
                               "HEALTHCHECK", "ENTRYPOINT", "CMD"}))
        << line;
    if (line.starts_with("FROM ")) isRoot = true;
    if (line.starts_with("USER ")) isRoot = line.starts_with("USER 0") || line == "USER root";
    text += line + '\n';
  }
  EXPECT_FALSE(isRoot);
  EXPECT_THAT(text, HasSubstr("\nHEALTHCHECK "));
}

TEST(Container, TheFilesThatItUsesExistAndAreNotIgnored) {
  const std::string ignored = textOf(".dockerignore");
  const fs::path root = STORMO_SOURCE_DIR;
  int uses = 0;
  for (const std::string& line : instructions()) {
    static const std::regex kInSource("/src/([\\w./*-]+)");
    for (std::sregex_iterator it(line.begin(), line.end(), kInSource), end; it != end; ++it) {
      const std::string path = (*it)[1];
      ++uses;
      if (path.starts_with("build/package/")) continue;  // `./dev package` makes it there
      EXPECT_TRUE(fs::exists(root / path)) << path;
      EXPECT_EQ(ignored.find(path + '\n'), ignored.npos) << path;
    }
  }
  EXPECT_EQ(uses, 2);
  EXPECT_THAT(textOf("CMakePresets.json"), HasSubstr("\"${sourceDir}/build/package\""));
  EXPECT_THAT(textOf("dev"), HasSubstr("\npackage() {\n"));
}

TEST(Container, TheHealthCheckAndTheEntryAreCommandsOfTheProgram) {
  const std::string help = run({STORMO_BIN_DIR "/stormo", "--help"}).output;
  static const std::regex kCommand("CMD \\[(\"stormo\", )?\"(\\w+)\"\\]");
  int commands = 0;
  for (const std::string& line : instructions()) {
    std::smatch match;
    if (!std::regex_search(line, match, kCommand)) continue;
    ++commands;
    EXPECT_THAT(help, HasSubstr("\n  " + match[2].str() + " ")) << line;
  }
  EXPECT_EQ(commands, 2);
}

}  // namespace
}  // namespace stormo::package
