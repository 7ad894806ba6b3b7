// Where the HTTP API listens, and who may use it: "Addresses" and "Keys" of docs/api.md.
#include <gmock/gmock.h>

#include <algorithm>

#include "integration/harness/tls_client.h"
#include "integration/harness/with_api.h"
#include "support/temp_directory.h"

namespace stormo::integration {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class ApiListen : public WithApi {
 protected:
  [[nodiscard]] std::string socketPath() const { return stormo.folder() + "/api.sock"; }
  Answer callUnix(const std::string& requestLine, const std::string& body = {}) const {
    TcpPeer peer(deadline, *Address::unixPath(socketPath()));
    peer.send(apiRequest(requestLine, authorization(), body));
    return endCall(peer);
  }
  Answer callTls(std::uint16_t port, const std::string& requestLine,
                 const std::string& body = {}) const {
    TlsClient client(deadline, port);
    client.tls.send(apiRequest(requestLine, authorization(), body));
    client.awaitClose();
    return apiAnswerIn(client.received);
  }
  /// The addresses of the API, as `status` has them.
  std::vector<std::string> addresses() {
    std::vector<std::string> found;
    const Json report = stormo.status();
    for (const Json& row : report.at("processes")) {
      if (row.at("name") != "api") continue;
      std::string rest = row.at("listen");
      for (std::size_t comma = 0; (comma = rest.find(", ")) != rest.npos;) {
        found.push_back(rest.substr(0, comma));
        rest.erase(0, comma + 2);
      }
      found.push_back(rest);
    }
    return found;
  }
  static constexpr const char* kPublish = R"({"group":"a","message":"1"})";

  const test::TempDirectory certificates;
};

TEST_F(ApiListen, AUnixSocketAnswersAsAnAddressDoes) {
  startStormo({"--workers", "2", "--api-listen", "unix://" + socketPath()});
  readKeyAndPorts();
  const Id id = clients().connect();
  clients().join(id, "a");
  const Answer published = callUnix("POST /v1/publish", kPublish);
  EXPECT_EQ(published.status, 200) << published.body;
  EXPECT_GT(published.body.at("offset"), 0);
  clients().waitForMessages(id, 1);
  EXPECT_THAT(clients()[id].texts(), ElementsAre("1"));
  EXPECT_EQ(callUnix("GET /v1/groups/a").body.at("clients"), 1);
  key = "stormo_of_somebody_else";
  EXPECT_EQ(callUnix("GET /v1/groups").status, 401);
  EXPECT_THAT(addresses(), ElementsAre("unix://" + socketPath()));
  EXPECT_THAT(stormo.foreground().errors(), Not(HasSubstr("is not encrypted")));
}

TEST_F(ApiListen, HttpsAnswersWithTheCertificateOfTheServer) {
  const TlsCertificate files = test::makeCertificate(certificates);
  startStormo({"--workers", "2", "--api-listen", "https://127.0.0.1:0", "--api-listen",
               "unix://" + socketPath(), "--tls-cert", files.certificateFile, "--tls-key",
               files.keyFile});
  readKeyAndPorts();
  const Answer published = callTls(apiPort, "POST /v1/publish", kPublish);
  EXPECT_EQ(published.status, 200) << published.head << published.body;
  EXPECT_GT(published.body.at("offset"), 0);
  EXPECT_EQ(callTls(apiPort, "GET /v1/stats").body.at("complete"), true);
  // Plain HTTP is not answered on that port.
  const std::string plain =
      httpExchange(deadline, apiPort, apiRequest("GET /v1/groups", authorization()));
  EXPECT_THAT(plain, Not(HasSubstr("200")));
  EXPECT_EQ(callUnix("GET /v1/stats").status, 200);  // without TLS
  EXPECT_THAT(stormo.foreground().output(),
              HasSubstr("http://127.0.0.1:" + std::to_string(apiPort) + " (TLS)"));
}

TEST_F(ApiListen, AddressesThatCannotBeUsedAreErrorsAtStart) {
  const TlsCertificate files = test::makeCertificate(certificates);
  const Words tls = {"--tls-cert", files.certificateFile, "--tls-key", files.keyFile};
  const std::string http = "http://127.0.0.1:0";
  const std::string https = "https://127.0.0.1:0";
  const std::string both =
      "--api-listen has addresses with http:// and with https://: use one of both";
  const std::tuple<Words, Words, std::string> table[] = {
      {{https}, {}, "--api-listen https://127.0.0.1:0 needs --tls-cert"},
      {{http, https}, tls, both},
      {{"unix://" + socketPath(), http, https}, tls, both},
      {{"unix://" + stormo.folder() + "/none/api.sock"}, {}, "/none/api.sock"},
      {{"ftp://127.0.0.1:0"}, {}, "ftp://127.0.0.1:0"},
  };
  for (const auto& [urls, options, expected] : table) {
    Words words = {"start", "--listen", "websocket://127.0.0.1:0"};
    for (const std::string& url : urls) words.insert(words.end(), {"--api-listen", url});
    words.insert(words.end(), options.begin(), options.end());
    const Outcome started = stormo.run(words);
    EXPECT_NE(started.status, 0) << expected;
    EXPECT_THAT(started.errors, HasSubstr(expected));
    EXPECT_EQ(std::ranges::count(started.errors, '\n'), 1) << started.errors;
  }
}

TEST_F(ApiListen, SeveralAddressesReachTheSameProcesses) {
  startStormo({"--workers", "2", "--api-processes", "2", "--api-listen", "http://127.0.0.1:0",
               "--api-listen", "unix://" + socketPath()});
  readKeyAndPorts();
  const Id id = clients().connect();
  clients().join(id, "a");
  const std::string once = "Idempotency-Key: once\r\n";
  EXPECT_EQ(call("POST /v1/publish", kPublish, once).status, 200);
  EXPECT_EQ(callUnix("POST /v1/publish", R"({"group":"a","message":"2"})").status, 200);
  EXPECT_EQ(call("POST /v1/publish", kPublish, once).body.at("duplicate"), true);
  clients().waitForMessages(id, 2);
  EXPECT_THAT(clients()[id].texts(), ElementsAre("1", "2"));
}

TEST_F(ApiListen, KeysOfTheFileMayWhatTheirRightsStateAndTheMessageNamesTheRight) {
  const std::string settings = "[api]\nlisten = \"http://127.0.0.1:0\"\n";
  std::map<std::string, std::string> secrets;
  std::string text = settings;
  for (const std::string right : {"publish", "control", "read"}) {
    const Outcome made = SpawnedProgram(deadline, {STORMO_BIN_DIR "/stormo", "api-key",
                                                   "only-" + right, "--right", right})
                             .waitForEnd();
    ASSERT_EQ(made.status, 0) << made.errors;
    const std::size_t secret = made.output.find("stormo_");
    secrets[right] = made.output.substr(secret, made.output.find('\n', secret) - secret);
    text += made.output.substr(made.output.find("[[api.keys]]"));
  }
  startStormo({"--workers", "1", "--config", file("stormo.toml", text)});
  readKeyAndPorts();
  const std::tuple<const char*, const char*, const char*> requests[] = {
      {"publish", "POST /v1/publish", kPublish},
      {"control", "POST /v1/join", R"({"user":"ada","group":"a"})"},
      {"control", "POST /v1/leave", R"({"user":"ada","group":"a"})"},
      {"control", "POST /v1/disconnect", R"({"user":"ada"})"},
      {"control", "POST /v1/info", R"({"user":"ada","info":null})"},
      {"control", "POST /v1/revoke", R"({"user":"ada","for_seconds":1})"},
      {"publish", "POST /v1/batch",
       R"({"commands":[{"cmd":"publish","group":"a","message":"1"}]})"},
      {"control", "POST /v1/batch", R"({"commands":[{"cmd":"info","all":true,"info":null}]})"},
      {"read", "GET /v1/groups", ""},
      {"read", "GET /v1/groups/a", ""},
      {"read", "GET /v1/groups/a/clients", ""},
      {"read", "GET /v1/groups/a/history", ""},
      {"read", "GET /v1/users", ""},
      {"read", "GET /v1/users/ada", ""},
      {"read", "GET /v1/clients", ""},
      {"read", "GET /v1/stats", ""},
  };
  for (const auto& [right, line, body] : requests) {
    EXPECT_EQ(call(line, body).status, 200) << line;  // the machine's key has all rights
    for (const auto& [ofKey, secret] : secrets) {
      const Answer answer = callWith("Authorization: Bearer " + secret + "\r\n", line, body);
      if (ofKey == right) {
        EXPECT_EQ(answer.status, 200) << ofKey << ' ' << line << answer.body;
        continue;
      }
      EXPECT_EQ(answer.status, 403) << ofKey << ' ' << line << answer.body;
      const Json expected = {
          {"code", "forbidden"},
          {"message", "the key 'only-" + ofKey + "' does not have the right " + right}};
      EXPECT_EQ(answer.body.at("error"), expected) << line;
    }
  }
}

TEST_F(ApiListen, MistakesInKeysOfTheFileAreErrorsThatNameThem) {
  const std::string hash = "hash = \"sha256:" + std::string(64, '0') + "\"\n";
  const std::string web = "name = \"web\"\n";
  const std::string mayRead = "rights = [\"read\"]\n";
  const std::pair<std::string, std::string> table[] = {
      {web + "rights = [\"fly\"]\n" + hash,
       "the API key 'web' has the right 'fly', which is none of publish, control and read"},
      {web + mayRead + "hash = \"sha256:00\"\n", "the API key 'web' needs its hash, \"sha256:\""},
      {web + mayRead, "the API key 'web' needs its hash"},
      {"name = \"a b\"\n" + mayRead + hash, "'-', '_' and '.', not 'a b'"},
      {web + hash, "the API key 'web' needs rights: publish, control or read"},
      {mayRead + hash, "an API key needs a name"},
      {web + "rigths = [\"read\"]\n" + hash, "rigths"},
      {web + mayRead + hash + "[[api.keys]]\n" + web + mayRead + hash,
       "two keys have the name 'web'"},
  };
  for (const auto& [lines, expected] : table) {
    const std::string path = file("wrong.toml",
                                  "[api]\nlisten = \"http://127.0.0.1:0\"\n"
                                  "[[api.keys]]\n" +
                                      lines);
    for (const Words& words : {Words{"check-config", path}, Words{"start", "--config", path}}) {
      const Outcome outcome = stormo.run(words);
      EXPECT_NE(outcome.status, 0) << lines << outcome.output;
      EXPECT_THAT(outcome.errors, HasSubstr(expected));
    }
  }
}

}  // namespace
}  // namespace stormo::integration
