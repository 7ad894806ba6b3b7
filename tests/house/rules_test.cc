// Tests of the rules: each must report a violation.
#include "house/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace stormo::house {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Violations in pieces, so that this file contains none.
const std::string kInclude = "#include ";
const std::string kOnce = "#pragma once\n";

HeaderOwners someOwners() { return {{"stormo/result.h", "base"}, {"stormo/worker.h", "worker"}}; }

TEST(Layers, UsesAreTransitiveAndPointDown) {
  EXPECT_TRUE(mayInclude("worker", "base"));
  EXPECT_TRUE(mayInclude("cli", "process"));
  EXPECT_TRUE(mayInclude("net", "net"));
  EXPECT_FALSE(mayInclude("base", "sys"));
  EXPECT_FALSE(mayInclude("protocol", "sys"));      // no sockets, no clock
  EXPECT_FALSE(mayInclude("process", "protocol"));  // knows no WebSocket
  EXPECT_FALSE(mayInclude("net", "nowhere"));
}

TEST(Layers, IncludeOfAHigherModuleIsReported) {
  EXPECT_THAT(layerComplaints("base", "\n" + kInclude + "\"net/batch.h\"\n", {}),
              ElementsAre("line 2: net/batch.h belongs to net, which base must not include"));
  EXPECT_THAT(layerComplaints("net", kInclude + "<stormo/worker.h>", someOwners()),
              ElementsAre(HasSubstr("stormo/worker.h belongs to worker")));
}

TEST(Layers, IncludeOfALowerModuleOrTheSystemIsAllowed) {
  EXPECT_THAT(layerComplaints("net",
                              kInclude + "<sys/socket.h>\n" + kInclude + "<stormo/result.h>\n" +
                                  kInclude + "\"sys/log.h\"\n" + kInclude + "\"net/batch.h\"\n",
                              someOwners()),
              IsEmpty());
}

TEST(Layers, IncludeOfNoModuleIsReported) {
  EXPECT_THAT(layerComplaints("net", kInclude + "\"peer.h\"", {}),
              ElementsAre(HasSubstr("no module")));
  EXPECT_THAT(layerComplaints("net", "  #  include \"util/peer.h\"", {}),
              ElementsAre(HasSubstr("no module")));
  EXPECT_THAT(layerComplaints("cli", kInclude + "<stormo/absent.h>", someOwners()),
              ElementsAre(HasSubstr("no module")));
}

TEST(Layers, FolderOutsideOfTheListIsReported) {
  std::vector<std::string> folders;
  for (const Module& module : modules()) {
    folders.push_back(module.name.substr(0, module.name.find('/')));
  }
  EXPECT_THAT(folderComplaints(folders), IsEmpty());
  folders.back() = "util";
  EXPECT_THAT(folderComplaints(folders),
              ElementsAre(HasSubstr("src/util"), HasSubstr("module cli has no folder")));
}

TEST(Layers, UsesInCMakeMatchTheList) {
  EXPECT_THAT(usesComplaints("stormo_module(base SOURCES a.cc)"), IsEmpty());
  EXPECT_THAT(
      usesComplaints("stormo_module(net SOURCES\n a.cc USES event protocol\n LIBRARIES fmt::fmt)"),
      IsEmpty());
  EXPECT_THAT(usesComplaints("stormo_module(group SOURCES a.cc USES net process)"),
              ElementsAre("group USES net process, but the list of modules has net"));
  EXPECT_THAT(usesComplaints("stormo_module(sys SOURCES a.cc)"),
              ElementsAre(HasSubstr("the list of modules has base")));
  EXPECT_THAT(usesComplaints("stormo_module(util SOURCES a.cc)"),
              ElementsAre(HasSubstr("not in the list")));
}

TEST(Layers, ReadyServerMustNotIncludeInternalHeaders) {
  EXPECT_THAT(
      serverComplaints(kInclude + "\"channel/client/bus.h\"\n" + kInclude + "\"base/fifo.h\""),
      ElementsAre("line 1: the ready server must not include channel/client/bus.h",
                  "line 2: the ready server must not include base/fifo.h"));
  EXPECT_THAT(
      serverComplaints(kInclude + "<stormo/channel.h>\n" + kInclude + "<fmt/format.h>\n" +
                       kInclude + "\"server/join_queue.h\"\n" + kInclude +
                       "\"protocol/client/v1_request.h\"\n" + kInclude + "\"access/token.h\""),
      IsEmpty());
}

TEST(PublicHeaders, HeadersBelongToTheFolderOfTheirSource) {
  Complaints complaints;
  const HeaderOwners owners =
      headerOwners({"stormo/timer.h", "stormo/channel/client.h", "stormo/version.h"},
                   {"event/timer.cc", "channel/client/client.cc", "net/client.cc"}, complaints);
  EXPECT_EQ(owners.at("stormo/timer.h"), "event");
  EXPECT_EQ(owners.at("stormo/channel/client.h"), "channel/client");
  EXPECT_EQ(owners.at("stormo/version.h"), "base");
}

TEST(PublicHeaders, HeadersWithoutOrWithTwoSourcesAreReported) {
  Complaints complaints;
  static_cast<void>(headerOwners({"stormo/absent.h"}, {"net/present.cc"}, complaints));
  EXPECT_THAT(complaints.front(), HasSubstr("<stormo/absent.h> must have one .cc"));
  complaints.clear();
  static_cast<void>(
      headerOwners({"stormo/timer.h"}, {"event/timer.cc", "net/timer.cc"}, complaints));
  EXPECT_THAT(complaints.front(), HasSubstr("found event/timer.cc net/timer.cc"));
}

TEST(PublicHeaders, HeadersInTheTableMustExistAndHaveNoSource) {
  Complaints complaints;
  static_cast<void>(headerOwners({}, {}, complaints));
  EXPECT_THAT(complaints, testing::Contains(HasSubstr("<stormo/version.h> is in the table")));
  complaints.clear();
  static_cast<void>(headerOwners({"stormo/version.h"}, {"base/version.cc"}, complaints));
  EXPECT_THAT(complaints.front(), HasSubstr("(it is in the table)"));
}

TEST(PublicHeaders, OtherIncludesAreReported) {
  EXPECT_THAT(publicHeaderComplaints(kInclude + "<string>\n" + kInclude + "<stormo/value.h>\n"),
              IsEmpty());
  for (const char* header :
       {"<fmt/format.h>", "<simdjson.h>", "<sys/epoll.h>", "\"net/batch.h\""}) {
    EXPECT_THAT(publicHeaderComplaints(kInclude + header), ElementsAre(HasSubstr("line 1")))
        << header;
  }
}

TEST(Form, CorrectFileIsAccepted) {
  EXPECT_THAT(formComplaints("a.h", kOnce + "int a();\n"), IsEmpty());
  EXPECT_THAT(formComplaints("a.cc", "int a() { return 1; }\n"), IsEmpty());
  EXPECT_THAT(formComplaints("a.cc", std::string(kLinesMax, '\n')), IsEmpty());
}

TEST(Form, ViolationsAreReportedWithTheirLine) {
  const auto formOf = [](const std::string& text) { return formComplaints("a.cc", text); };
  EXPECT_THAT(formOf(std::string(kLinesMax + 1, '\n')),
              ElementsAre("line 401: more than 400 lines"));
  EXPECT_THAT(formOf("\n" + std::string(kColumnsMax + 1, 'a') + "\n"),
              ElementsAre("line 2: 101 columns"));
  EXPECT_THAT(formOf("int\ta;\n"), ElementsAre("line 1: a tab"));
  EXPECT_THAT(formOf("int a;\nint b;"), ElementsAre("line 2: no newline at the end of the file"));
  EXPECT_THAT(formComplaints("a.h", "int a();\n"),
              ElementsAre("line 1: a header needs #pragma once"));
}

TEST(Form, LengthAloneIsCheckedOnRequest) {
  EXPECT_THAT(lengthComplaints("\t" + std::string(kLinesMax, '\n')), IsEmpty());
  EXPECT_THAT(lengthComplaints(std::string(kLinesMax + 1, '\n')),
              ElementsAre("line 401: more than 400 lines"));
}

TEST(Form, ColumnsAreCharactersNotBytes) {
  std::string line;
  for (std::size_t column = 0; column < kColumnsMax; ++column) line += "…";
  EXPECT_THAT(formComplaints("a.cc", line + "\n"), IsEmpty());
}

TEST(Form, LineWithARawStringMayBeLong) {
  EXPECT_THAT(formComplaints("a.cc", "auto a = R\"(" + std::string(kColumnsMax, 'a') + ")\";\n"),
              IsEmpty());
}

TEST(Form, UnfinishedWorkIsReported) {
  for (const std::string promise : {"FIX"
                                    "ME",
                                    "XX"
                                    "X",
                                    "HA"
                                    "CK",
                                    "not imple"
                                    "mented"}) {
    EXPECT_THAT(
        formComplaints("a.cc", "// " + promise + ": more\n"),
        ElementsAre("line 1: unfinished work (only TODO(perf|security|cleanup) is allowed)"));
  }
  EXPECT_THAT(formComplaints("a.cc", "// TODO(perf): by two\nauto path = \"/tmp/t-XXXXXX\";\n"),
              IsEmpty());
}

TEST(Hashes, OtherHashTablesAndHashesAreReported) {
  EXPECT_THAT(hashComplaints("KeyedMap<std::string, int> a;\nKeyedSet<std::string> b;\n"),
              IsEmpty());
  for (const std::string other : {"#include <unordered_map>", "std::unordered_multiset<int> a;",
                                  "using std::unordered_set;", "std::hash<std::string>{}(name)"}) {
    EXPECT_THAT(hashComplaints("\n" + other), ElementsAre(HasSubstr("line 2: "))) << other;
  }
}

TEST(Dependencies, PackagesAreFoundInCMakeAndDev) {
  EXPECT_THAT(
      packagesFoundBy(
          "find_package(Threads REQUIRED)\n  find_package(fmt 9 REQUIRED)\n# find_package(no)\n"
          "pkg_check_modules(NATS REQUIRED IMPORTED_TARGET libnats>=3 liburing)"),
      ElementsAre("fmt", "libnats", "liburing"));
  EXPECT_THAT(packagesInstalledBy(
                  "build_packages=(g++:g++\n  libfmt-dev)\nneed \"${build_packages[@]}\"\n"),
              ElementsAre("g++", "libfmt-dev"));
}

TEST(Dependencies, MissingRowsAreReported) {
  const std::string doc = "`zlib` and\n| `fmt`, `libfmt-dev` | text |\n";
  EXPECT_THAT(undocumented({"fmt", "libfmt-dev"}, doc), IsEmpty());
  EXPECT_THAT(undocumented({"zlib", "lib"}, doc),
              ElementsAre(HasSubstr("`zlib`"), HasSubstr("`lib`")));
}

}  // namespace
}  // namespace stormo::house
