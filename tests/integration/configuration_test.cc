// Configuration files, and what 'stormo check-config' says of them.
#include <gmock/gmock.h>

#include <fstream>

#include "integration/harness/with_stormo.h"

namespace stormo::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Configuration : public WithStormo {
 protected:
  std::string write(const std::string& text) {
    const std::string path = stormo.folder() + "/stormo.toml";
    std::ofstream(path) << text;
    return path;
  }
};

TEST_F(Configuration, AGoodFileIsSaidToBeGoodAndIsObeyed) {
  const std::string path = write(R"(listen = "websocket://127.0.0.1:0"
workers = 3

[limits]
groups-per-client = 1

[websocket]
page = false
origins = ["https://example.com"]
)");
  const Outcome check = stormo.run({"check-config", path});
  EXPECT_EQ(check.status, 0) << check.errors;
  EXPECT_EQ(check.output, path + ": ok\n");

  stormo.start({"--config", path});
  meetClients();
  EXPECT_EQ(stormo.pids("worker").size(), 3u);
  const Id id = clients().connect();
  clients().command(id, "add_group", "a");
  clients().command(id, "add_group", "b");
  clients().waitForMessages(id, 1);
  EXPECT_THAT(clients()[id].received[0].data, HasSubstr("too_many_groups"));
}

TEST_F(Configuration, FlagsWinOverTheFile) {
  const std::string path = write("listen = \"websocket://127.0.0.1:1\"\nworkers = 3\n");
  stormo.start(freePort({"--config", path, "--workers", "1"}));
  EXPECT_EQ(stormo.pids("worker").size(), 1u);
}

TEST_F(Configuration, EachMistakeIsNamedWithItsLineAndItsMend) {
  const std::string path = write(R"(listen = "http://127.0.0.1:1234"
wokers = 3

[limits]
message-bytes = "many"
groups-per-client = 0

[websocket]
page = 1
origins = 7
nothing-like-any-setting = true
)");
  const Outcome check = stormo.run({"check-config", path});
  EXPECT_NE(check.status, 0);
  EXPECT_THAT(check.output, IsEmpty());
  for (const char* line : {":1: 'listen': 'http://127.0.0.1:1234' has none of the schemes",
                           ":2: unknown setting 'wokers' (did you mean 'workers'?)",
                           ":5: 'limits.message-bytes' must be a whole number",
                           ":6: 'limits.groups-per-client': must be at least 1",
                           ":9: 'websocket.page' must be true or false",
                           ":10: 'websocket.origins' must be a list of strings",
                           ":11: unknown setting 'websocket.nothing-like-any-setting' (see"}) {
    EXPECT_THAT(check.errors, HasSubstr(path + line));
  }
  EXPECT_EQ(std::count(check.errors.begin(), check.errors.end(), '\n'), 7) << check.errors;
  EXPECT_NE(stormo.run({"start", "--config", path}).status, 0);
}

TEST_F(Configuration, AFileThatIsNoTomlIsNamedWithItsLine) {
  const Outcome check = stormo.run({"check-config", write("workers = 2\nlisten = websocket\n")});
  EXPECT_NE(check.status, 0);
  EXPECT_THAT(check.errors, HasSubstr("stormo.toml:2: "));
}

TEST_F(Configuration, AFileThatIsNotThereIsNamed) {
  const Outcome check = stormo.run({"check-config", "/nowhere/stormo.toml"});
  EXPECT_NE(check.status, 0);
  EXPECT_THAT(check.errors, HasSubstr("/nowhere/stormo.toml"));
  EXPECT_EQ(std::count(check.errors.begin(), check.errors.end(), '\n'), 1) << check.errors;
}

TEST_F(Configuration, WhatContradictsItselfIsSaid) {
  const Outcome check = stormo.run(
      {"check-config", write("[channel]\nurl = \"unix:///a\"\nlisten = \"unix:///b\"\n")});
  EXPECT_NE(check.status, 0);
  EXPECT_THAT(check.errors, HasSubstr("give one of them"));
}

}  // namespace
}  // namespace stormo::integration
