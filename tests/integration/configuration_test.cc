// Configuration files, and 'stormo check-config'.
#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "integration/harness/with_stormo.h"

namespace stormo::integration {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// A variable of the environment of programs that are started while this object lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* const name_;
};

class Configuration : public WithStormo {
 protected:
  std::string write(const std::string& text) {
    const std::string path = stormo.folder() + "/stormo.toml";
    std::ofstream(path) << text;
    return path;
  }
};

TEST_F(Configuration, AValidFileIsAcceptedAndApplied) {
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

TEST_F(Configuration, ProxiesAndOwnersOfSocketsAreChecked) {
  const auto complaintOf = [&](const std::string& text) {
    return stormo.run({"check-config", write("listen = \"unix:///tmp/stormo-clients\"\n" + text)})
        .errors;
  };
  EXPECT_EQ(complaintOf("trusted-proxies = [\"unix\", \"10.0.0.0/8\"]\nsocket-mode = \"0660\"\n"
                        "proxy-protocol = \"unix:///tmp/stormo-clients\"\n"),
            "");
  EXPECT_THAT(complaintOf("\ntrusted-proxies = \"10.0.0.1/8\"\n"),
              HasSubstr(":3: 'trusted-proxies': '10.0.0.1/8' has bits"));
  EXPECT_THAT(complaintOf("trusted-proxies = \"10.0.0.0/8\"\n"
                          "proxy-protocol = \"unix:///tmp/stormo-clients\"\n"),
              HasSubstr(":3: --proxy-protocol unix:///tmp/stormo-clients is for trusted proxies"));
  EXPECT_THAT(complaintOf("proxy-header = \"Via\"\n"), HasSubstr(":2: 'proxy-header': must be"));
  EXPECT_THAT(complaintOf("socket-mode = \"rw\"\n"), HasSubstr(":2: 'socket-mode': must be octal"));
  EXPECT_THAT(complaintOf("socket-group = \"no-such-group\"\n"),
              HasSubstr("no such group: 'no-such-group'"));
}

TEST_F(Configuration, FlagsOverrideTheFile) {
  const std::string path = write("listen = \"websocket://127.0.0.1:1\"\nworkers = 3\n");
  stormo.start(freePort({"--config", path, "--workers", "1"}));
  EXPECT_EQ(stormo.pids("worker").size(), 1u);
}

TEST_F(Configuration, TheEnvironmentOverridesTheFileAndFlagsOverrideIt) {
  const Variable workers("STORMO_WORKERS", "2");
  const Variable listen("STORMO_LISTEN", "websocket://127.0.0.1:0");
  const std::string path = write("listen = \"websocket://127.0.0.1:1\"\nworkers = 3\n");
  stormo.start({"--config", path});
  EXPECT_EQ(stormo.pids("worker").size(), 2u);
  stormo.succeed({"stop"});
  stormo.foreground().waitForEnd();
  stormo.start({"--config", path, "--workers", "1"});
  EXPECT_EQ(stormo.pids("worker").size(), 1u);
}

TEST_F(Configuration, RestartUsesItsOwnEnvironmentAndTheFlagsOfTheLastStart) {
  const Words start = {"start", "-d", "--listen", "websocket://127.0.0.1:0"};
  {
    const Variable workers("STORMO_WORKERS", "2");
    const Variable page("STORMO_WEBSOCKET_PAGE", "maybe");
    const Outcome wrong = stormo.run(start);
    EXPECT_EQ(wrong.status, 1);
    EXPECT_THAT(wrong.errors,
                HasSubstr("STORMO_WEBSOCKET_PAGE: 'maybe' is neither true nor false"));
  }
  {
    const Variable workers("STORMO_WORKERS", "2");
    stormo.succeed(start);
    EXPECT_EQ(stormo.pids("worker").size(), 2u);
  }
  const Variable workers("STORMO_WORKERS", "1");
  const Variable listen("STORMO_LISTEN", "websocket://127.0.0.1:1");
  EXPECT_THAT(stormo.succeed({"restart", "-d"}), HasSubstr("--listen=websocket://127.0.0.1:0"));
  EXPECT_EQ(stormo.pids("worker").size(), 1u);
}

TEST_F(Configuration, AFlagThatIsTrueOrFalseNeedsNoValue) {
  const auto words = [](Words given) {
    given.insert(given.end(), {"-d", "--listen", "websocket://127.0.0.1:0"});
    return given;
  };
  const Outcome wrong = stormo.run(words({"start", "--deflate", "often"}));
  EXPECT_EQ(wrong.errors, "stormo: --deflate: 'often' is neither true nor false\n");
  const auto restarted = [&](const Words& given) { return stormo.succeed(words(given)); };
  stormo.succeed(words({"start", "--ipv6only", "--page=false", "--deflate", "off"}));
  EXPECT_THAT(restarted({"restart"}),
              AllOf(HasSubstr(" --ipv6only=true"), HasSubstr(" --page=false"),
                    HasSubstr(" --deflate=off")));
  EXPECT_THAT(restarted({"restart", "--deflate"}), Not(HasSubstr("--deflate")));
  EXPECT_THAT(restarted({"restart"}), HasSubstr(" --deflate=true"));
}

TEST_F(Configuration, UnknownVariablesAreReportedByCommandsThatReadTheEnvironment) {
  const Variable wrong("STORMO_WORKRES", "2");
  const std::string warning =
      "warning: the environment variable STORMO_WORKRES is none of Stormo's and has no effect (did "
      "you mean STORMO_WORKERS?)\n";
  const std::string path = write("listen = \"websocket://127.0.0.1:0\"\nworkers = 1\n");
  const Outcome check = stormo.run({"check-config", path});
  EXPECT_EQ(check.status, 0);
  EXPECT_EQ(check.errors, "stormo: " + warning);
  EXPECT_EQ(stormo.run({"start", "-d", "--config", path}).errors, "stormo: " + warning);
  EXPECT_EQ(stormo.run({"status"}).errors, "");
}

TEST_F(Configuration, CheckConfigRejectsWhatTheEnvironmentHasWrong) {
  const Variable workers("STORMO_WORKERS", "many");
  const Outcome check = stormo.run({"check-config", write("workers = 1\n")});
  EXPECT_EQ(check.status, 1);
  EXPECT_EQ(check.errors, "STORMO_WORKERS: 'many' is not a number\n");
}

TEST_F(Configuration, EachMistakeIsReportedWithItsLineAndRemedy) {
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

TEST_F(Configuration, ASyntaxErrorIsReportedWithItsLine) {
  const Outcome check = stormo.run({"check-config", write("workers = 2\nlisten = websocket\n")});
  EXPECT_NE(check.status, 0);
  EXPECT_THAT(check.errors, HasSubstr("stormo.toml:2: "));
}

TEST_F(Configuration, AMissingFileIsReported) {
  const Outcome check = stormo.run({"check-config", "/nowhere/stormo.toml"});
  EXPECT_NE(check.status, 0);
  EXPECT_THAT(check.errors, HasSubstr("/nowhere/stormo.toml"));
  EXPECT_EQ(std::count(check.errors.begin(), check.errors.end(), '\n'), 1) << check.errors;
}

TEST_F(Configuration, ContradictingSettingsAreReported) {
  const Outcome check = stormo.run(
      {"check-config", write("[channel]\nurl = \"unix:///a\"\nlisten = \"unix:///b\"\n")});
  EXPECT_NE(check.status, 0);
  EXPECT_THAT(check.errors, HasSubstr("set only one of them"));
}

TEST_F(Configuration, CheckConfigWithoutAFileIsAnError) {
  const Outcome check = stormo.run({"check-config"});
  EXPECT_EQ(check.status, 2);
  EXPECT_THAT(check.errors, HasSubstr("a file (stormo check-config FILE) is required"));
}

TEST_F(Configuration, CheckConfigReportsWithItsLineWhatStartRejects) {
  const std::string folder = stormo.folder();
  std::ofstream(folder + "/empty-secret") << " \t\r\n";
  std::ofstream(folder + "/long-secret") << std::string(256, 's');
  std::ofstream(folder + "/not-a-socket") << "x";
  struct Case {
    std::string text;  // the mistake is in its second line
    std::string expected;
  };
  for (const auto& [text, expected] : {
           Case{"workers = 1\nuser = \"no-such-user\"\n", "no such user"},
           Case{"workers = 1\ngroup = \"no-such-group\"\n", "no such group"},
           Case{"workers = 1\nlisten = \"websocket://chat.example:1234\"\n", "write an IP address"},
           Case{"workers = 1\nlisten = \"websocket://192.0.2.1:1234\"\n",
                "cannot assign requested address"},
           Case{"workers = 1\nlisten = \"unix:///no/such/folder/socket\"\n", "(create it)"},
           Case{"workers = 1\nlisten = \"unix://" + folder + "/not-a-socket\"\n",
                "is not a socket"},
           Case{"[channel]\nsecret-file = \"/no/such/secret\"\n", "no such file or directory"},
           Case{"[channel]\nsecret-file = \"" + folder + "\"\n", "is a directory"},
           Case{"[channel]\nsecret-file = \"" + folder + "/empty-secret\"\n", "no secret in"},
           Case{"[channel]\nsecret-file = \"" + folder + "/long-secret\"\n", "too long"},
           Case{"[channel]\nlisten = \"frame://0.0.0.0:2206\"\n", "without a secret"},
           Case{"[history]\nbytes = 20000000\ngroups = [\"a\"]\n", "--send-buffer-bytes"},
           Case{"[limits]\nmessage-bytes = 1000000000000\n", "must be at most"},
           Case{"[log]\nlevel = \"loud\"\n", "error, warning, info or debug"},
       }) {
    const std::string path = write(text);
    const Outcome check = stormo.run({"check-config", path});
    EXPECT_EQ(check.status, 1) << text;
    EXPECT_THAT(check.errors, ::testing::StartsWith(path + ":2: ")) << text;
    EXPECT_THAT(check.errors, HasSubstr(expected)) << text;
    const Outcome start = stormo.run({"start", "-d", "--config", path});
    EXPECT_EQ(start.status, 1) << text;
    stormo.run({"stop"});
  }
}

TEST_F(Configuration, CheckConfigReportsTheLineOfARuleThatNeedsAKey) {
  const std::string path = write(
      "listen = \"websocket://127.0.0.1:0\"\n[[rules]]\ngroups = \"news\"\njoin = \"anyone\"\n"
      "[[rules]]\ngroups = \"chat.*\"\njoin = \"users\"\n");
  EXPECT_EQ(stormo.run({"check-config", path}).errors,
            path +
                ":6: the rule 'chat.*' is for clients with tokens, which need a key (see "
                "[access])\n");
}

TEST_F(Configuration, CheckConfigAcceptsAPortInUse) {
  startStormo({"--workers", "1"});
  const std::string path =
      write("listen = \"websocket://127.0.0.1:" + std::to_string(stormo.port()) + "\"\n");
  EXPECT_EQ(stormo.run({"check-config", path}).status, 0);
}

TEST_F(Configuration, TheLogLevelComesFromTheFlagThenTheFile) {
  const std::string path =
      write("listen = \"websocket://127.0.0.1:0\"\nworkers = 1\n[log]\nlevel = \"error\"\n");
  stormo.start({"--config", path});
  stormo.succeed({"stop"});
  EXPECT_EQ(stormo.foreground().waitForEnd().errors, "");
  stormo.start({"--config", path, "--log-level", "info"});
  stormo.succeed({"stop"});
  EXPECT_THAT(stormo.foreground().waitForEnd().errors, HasSubstr(" started program=stormo"));
}

TEST_F(Configuration, WhiteSpaceAtTheEndOfASecretIsIgnored) {
  std::ofstream(stormo.folder() + "/secret") << "sesame \t\r\nanother line\n";
  std::ofstream(stormo.folder() + "/plain") << "sesame";
  ProgramInstance channel(deadline, "stormo", {"channel"});
  const std::string url = "unix://" + stormo.folder() + "/channel.sock";
  channel.start({"--listen", url, "--secret-file", stormo.folder() + "/secret"});
  stormo.start(freePort(
      {"--workers", "1", "--channel", url, "--channel-secret-file", stormo.folder() + "/plain"}));
  meetClients();
  clients().join(clients().connect(), "joined over the Channel");
}

}  // namespace
}  // namespace stormo::integration
