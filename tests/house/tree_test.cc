// Applies the rules to this project's files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "house/rules.h"
#include "house/text.h"

namespace stormo::house {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = STORMO_SOURCE_DIR;

std::string textOf(const fs::path& path) {
  std::ifstream file(kRoot / path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The files below a folder with one of these endings, as paths from the project's root.
std::vector<std::string> filesIn(const fs::path& folder, const std::vector<std::string>& endings) {
  std::vector<std::string> files;
  for (fs::recursive_directory_iterator it(kRoot / folder), end; it != end; ++it) {
    if (it->path().filename() == "node_modules") it.disable_recursion_pending();
    const std::string path = fs::relative(it->path(), kRoot).string();
    for (const std::string& ending : endings) {
      if (path.ends_with(ending)) files.push_back(path);
    }
  }
  EXPECT_FALSE(files.empty()) << folder;
  std::ranges::sort(files);
  return files;
}

std::vector<std::string> withoutFolder(const std::vector<std::string>& paths, std::size_t length) {
  std::vector<std::string> names;
  for (const std::string& path : paths) names.push_back(path.substr(length));
  return names;
}

void expectNone(const std::string& where, const Complaints& complaints) {
  std::string text;
  for (const std::string& complaint : complaints) text += where + ": " + complaint + "\n";
  EXPECT_EQ(text, "");
}

HeaderOwners publicHeaderOwners(Complaints& complaints) {
  return headerOwners(withoutFolder(filesIn("include", {".h"}), std::string("include/").size()),
                      withoutFolder(filesIn("src", {".cc"}), std::string("src/").size()),
                      complaints);
}

TEST(Tree, EveryFolderIsAModule) {
  std::vector<std::string> folders;
  for (const auto& entry : fs::directory_iterator(kRoot / "src")) {
    if (entry.is_directory()) folders.push_back(entry.path().filename().string());
  }
  expectNone("src", folderComplaints(folders));
  for (const std::string& path : filesIn("src", {"CMakeLists.txt"})) {
    expectNone(path, usesComplaints(textOf(path)));
  }
}

TEST(Tree, EveryPublicHeaderHasAModule) {
  Complaints complaints;
  static_cast<void>(publicHeaderOwners(complaints));
  expectNone("include", complaints);
}

TEST(Tree, EveryIncludeIsAllowed) {
  Complaints complaints;
  const HeaderOwners owners = publicHeaderOwners(complaints);
  for (const std::string& path : filesIn("src", {".h", ".cc", ".cc.in"})) {
    const std::string inside = path.substr(std::string("src/").size());
    expectNone(path, layerComplaints(moduleOf(inside), textOf(path), owners));
  }
  for (const auto& [header, module] : owners) {
    expectNone(header, layerComplaints(module, textOf("include/" + header), owners));
  }
}

TEST(Tree, ReadyServerIncludesOnlyPublicHeaders) {
  for (const std::string& path : filesIn("src/server", {".h", ".cc"})) {
    expectNone(path, serverComplaints(textOf(path)));
  }
}

TEST(Tree, ReadmeProgramIsTheExample) {
  EXPECT_THAT(textOf("README.md"), testing::HasSubstr(textOf("examples/groups.cc")));
}

TEST(Tree, GuideCodeIsFromTheExamples) {
  std::string examples;
  for (const std::string& path : filesIn("examples", {".h", ".cc"})) examples += textOf(path);
  const std::string guide = textOf("docs/guide.md");
  static const std::regex kBlock("\n```cpp\n([^`]*)```\n");
  std::size_t blocks = 0;
  for (std::sregex_iterator it(guide.begin(), guide.end(), kBlock), end; it != end; ++it) {
    ++blocks;
    EXPECT_NE(examples.find((*it)[1].str()), examples.npos) << (*it)[1];
  }
  EXPECT_GT(blocks, 10u);
}

TEST(Tree, PublicHeadersIncludeOnlyTheStandardLibrary) {
  for (const std::string& path : filesIn("include", {".h"})) {
    expectNone(path, publicHeaderComplaints(textOf(path)));
  }
}

TEST(Tree, EverySourceFileFollowsTheFormRules) {
  for (const char* folder : {"include", "src", "tests", "examples", "fuzz", "bench"}) {
    for (const std::string& path : filesIn(folder, {".h", ".cc"})) {
      expectNone(path, formComplaints(path, textOf(path)));
    }
  }
}

TEST(Tree, EveryScriptFollowsTheLineLimit) {
  for (const char* folder : {"web", "tests", "bench"}) {
    for (const std::string& path : filesIn(folder, {".js", ".mjs", ".php"})) {
      // Made of web/client/, and so long because users copy one file.
      if (path == "web/stormo.js" || path == "web/stormo.global.js") continue;
      expectNone(path, lengthComplaints(textOf(path)));
    }
  }
}

TEST(Tree, EveryHashTableUsesTheKeyedHash) {
  for (const char* folder : {"include", "src", "examples"}) {
    for (const std::string& path : filesIn(folder, {".h", ".cc"})) {
      if (path != "src/base/keyed_hash.h") expectNone(path, hashComplaints(textOf(path)));
    }
  }
}

TEST(Tree, NoLogFieldHasAReservedName) {
  static const std::regex kReserved(R"re(log::\w+\([^;]* (time|level|pid|role|message)=\\?"?\{)re");
  for (const std::string& path : filesIn("src", {".h", ".cc"})) {
    EXPECT_FALSE(std::regex_search(textOf(path), kReserved)) << path;
  }
}

TEST(Tree, EveryDependencyIsDocumented) {
  const std::string doc = textOf("docs/dependencies.md");
  expectNone("dev", undocumented(packagesInstalledBy(textOf("dev")), doc));
  std::vector<std::string> files = {"CMakeLists.txt"};
  for (const char* folder : {"cmake", "src", "tests", "examples", "fuzz", "bench"}) {
    for (std::string& path : filesIn(folder, {"CMakeLists.txt", ".cmake"})) files.push_back(path);
  }
  for (const std::string& path : files) {
    expectNone(path, undocumented(packagesFoundBy(textOf(path)), doc));
  }
}

}  // namespace
}  // namespace stormo::house
