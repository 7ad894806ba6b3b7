// `stormo clients`, `groups`, `users` and `kick`, as a person uses them.
#include <gmock/gmock.h>

#include "integration/harness/shell_outcome.h"
#include "integration/harness/v1_client.h"
#include "integration/harness/with_api.h"

namespace stormo::integration {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

class ShellClients : public WithApi {
 protected:
  std::unique_ptr<V1Client> connect(const std::string& user, const Words& groups = {}) {
    auto client = std::make_unique<V1Client>(
        deadline, port,
        tokenOf({{"sub", user}, {"rights", {{{"groups", "*"}}}}, {"info", {{"n", 1}}}}));
    ids.push_back(client->nextEvent().at("client"));  // welcome
    for (const std::string& group : groups) {
      EXPECT_EQ(client->join({{"group", group}}).at("ok"), true);
    }
    return client;
  }
  /// The words of each line but the first one, which has the headings.
  static std::vector<Words> rowsOf(const std::string& table) {
    std::vector<Words> rows;
    std::istringstream lines(table);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream in(line);
      Words words;
      for (std::string word; in >> word;) words.push_back(word);
      rows.push_back(words);
    }
    rows.erase(rows.begin());
    return rows;
  }

  Words ids;  // of the clients, in the order of connect()
};

TEST_F(ShellClients, ClientsAreListedWithWhatIsKnownOfThem) {
  startWithTokens();
  EXPECT_EQ(stormo.succeed({"clients"}), "CLIENT  USER  ADDRESS  PROTOCOL  CONNECTED  GROUPS\n");
  EXPECT_EQ(stormo.succeed({"clients", "--json"}), "[]\n");
  const auto ada = connect("ada", {"room", "a\x1b[2J"});
  const auto bob = connect("bob", {"room"});
  const auto carol = connect("carol");
  const std::string table = stormo.succeed({"clients"});
  const auto rows = rowsOf(table);
  ASSERT_THAT(rows, SizeIs(3)) << table;
  for (const Words& row : rows) {
    if (row.at(1) != "ada") continue;
    EXPECT_THAT(row, ElementsAre(ids[0], "ada", "127.0.0.1:" + std::to_string(ada->localPort()),
                                 "stormo.v1", MatchesRegex("20..-..-.."), MatchesRegex("..:..:.."),
                                 "a\\x1b[2J", "room"));
  }
  const Json json = Json::parse(stormo.succeed({"clients", "--user", "ada", "--json"}));
  ASSERT_THAT(json, SizeIs(1)) << json;
  EXPECT_EQ(json[0].at("id"), ids[0]);
  EXPECT_EQ(json[0].at("user"), "ada");
  EXPECT_EQ(json[0].at("info"), Json({{"n", 1}}));
  EXPECT_EQ(json[0].at("groups"), Json({"a\x1b[2J", "room"}));
  EXPECT_THAT(rowsOf(stormo.succeed({"clients", "--group", "room"})), SizeIs(2));
  EXPECT_THAT(rowsOf(stormo.succeed({"clients", "--user", "nobody"})), IsEmpty());
  EXPECT_THAT(rowsOf(stormo.succeed({"clients", "--group", "none"})), IsEmpty());
}

TEST_F(ShellClients, GroupsAndUsersAreListedWithTheirNumberOfClientsOfAllWorkers) {
  startWithTokens();
  EXPECT_EQ(stormo.succeed({"groups"}), "GROUP  CLIENTS\n");
  EXPECT_EQ(stormo.succeed({"users"}), "USER  CLIENTS\n");
  std::vector<std::unique_ptr<V1Client>> all;
  for (int i = 0; i < 8; ++i) all.push_back(connect("ada", {"room.1"}));
  all.push_back(connect("bob", {"room.1", "room.22", "other"}));
  EXPECT_EQ(stormo.succeed({"groups"}), "GROUP    CLIENTS\nother    1\nroom.1   9\nroom.22  1\n");
  EXPECT_EQ(stormo.succeed({"groups", "--pattern", "room.*"}),
            "GROUP    CLIENTS\nroom.1   9\nroom.22  1\n");
  EXPECT_EQ(stormo.succeed({"groups", "--pattern", "x*"}), "GROUP  CLIENTS\n");
  EXPECT_EQ(stormo.succeed({"groups", "--pattern", "other", "--json"}),
            "[{\"name\":\"other\",\"clients\":1}]\n");
  EXPECT_EQ(stormo.succeed({"users"}), "USER  CLIENTS\nada   8\nbob   1\n");
  EXPECT_EQ(stormo.succeed({"users", "--pattern", "b*", "--json"}),
            "[{\"user\":\"bob\",\"clients\":1}]\n");
}

TEST_F(ShellClients, ListsHaveMoreThanAPageOfThem) {
  startWithTokens();
  const auto ada = connect("ada");
  constexpr int kGroups = 1500;
  for (int i = 0; i < kGroups; ++i) {
    EXPECT_EQ(ada->join({{"group", "g" + std::to_string(i)}}).value("ok", false), i < 1000);
  }
  const auto bob = connect("bob");
  for (int i = 1000; i < kGroups; ++i) bob->join({{"group", "g" + std::to_string(i)}});
  EXPECT_THAT(rowsOf(stormo.succeed({"groups"})), SizeIs(kGroups));
  EXPECT_THAT(Json::parse(stormo.succeed({"groups", "--json"})), SizeIs(kGroups));
}

TEST_F(ShellClients, KickClosesTheClientsOfAUserOrOneClient) {
  startWithTokens();
  const auto first = connect("ada");
  const auto second = connect("ada");
  const auto bob = connect("bob");
  const auto carol = connect("carol");
  const Outcome one = stormo.run({"kick", "--client", ids[0], "--code", "4000", "--reason", "bye"});
  EXPECT_EQ(one.status, 0) << one.errors;
  EXPECT_EQ(one.output, "1 client is closed\n");
  EXPECT_EQ(first->awaitClose(), (V1Client::Closed{CloseCode{4000}, "bye"}));
  const auto third = connect("ada");
  EXPECT_EQ(stormo.succeed({"kick", "ada"}), "2 clients are closed\n");
  for (const auto* client : {&second, &third}) {
    EXPECT_EQ((*client)->awaitClose(), (V1Client::Closed{CloseCode::PolicyViolation, ""}));
  }
  EXPECT_EQ(stormo.succeed({"kick", "carol", "--json"}), "{\"clients\":1}\n");
  EXPECT_EQ(carol->awaitClose().code, CloseCode::PolicyViolation);
  EXPECT_EQ(bob->request({{"cmd", "ping"}}).at("ok"), true);
  EXPECT_THAT(rowsOf(stormo.succeed({"users"})), ElementsAre(ElementsAre("bob", "1")));
  // They may connect again.
  EXPECT_TRUE(connect("ada")->isOpen());
}

TEST_F(ShellClients, KickOfNobodyFails) {
  startWithTokens();
  expectOneLine(stormo.run({"kick", "nobody"}), 1, "stormo kick: no such client is connected");
  expectOneLine(stormo.run({"kick", "--client", std::string(32, 'x')}), 1,
                "stormo kick: no such client is connected");
  const Outcome json = stormo.run({"kick", "nobody", "--json"});
  EXPECT_EQ(json.status, 1);
  EXPECT_EQ(json.output, "{\"clients\":0}\n");
  EXPECT_THAT(json.errors, IsEmpty());
}

TEST_F(ShellClients, WrongWordsGetALineThatNamesThemAndCloseNobody) {
  startWithTokens();
  const auto ada = connect("ada");
  const std::string who = "stormo kick: name a user, or a client with --client";
  expectOneLine(stormo.run({"kick"}), 2, who);
  expectOneLine(stormo.run({"kick", ""}), 2, who);
  expectOneLine(stormo.run({"kick", "--client", "short"}), 2, "stormo kick: no id of a client");
  expectOneLine(stormo.run({"kick", std::string(254, 'a')}), 2,
                "stormo kick: a user's id has 1 to 253 bytes");
  expectOneLine(stormo.run({"kick", "ada", "--code", "1005"}), 2,
                "stormo kick: the close code 1005 must not be sent: use 1000, 1008, or 3000 to "
                "4999");
  expectOneLine(stormo.run({"kick", "ada", "--reason", std::string(124, 'a')}), 2,
                "stormo kick: a reason may have 123 bytes");
  expectWrongWords(stormo.run({"kick", "ada", "--code", "70000"}),
                   "Could not convert: --code = 70000");
  expectWrongWords(stormo.run({"kick", "ada", "--client", "x"}), "user excludes --client");
  expectWrongWords(stormo.run({"clients", "--user", "a", "--group", "b"}),
                   "--user excludes --group");
  expectOneLine(stormo.run({"clients", "--user", ""}), 2,
                "stormo clients: a user's id has 1 to 253 bytes");
  expectOneLine(stormo.run({"clients", "--group", ""}), 2,
                "stormo clients: a group's name has 1 to 255 bytes, and no zero byte at its start");
  for (const char* command : {"clients", "groups", "users"}) {
    expectWrongWords(stormo.run({command, "more"}),
                     "The following argument was not expected: more");
    EXPECT_THAT(stormo.run({command, "--help"}).output,
                AllOf(HasSubstr("Usage: stormo " + std::string(command)), HasSubstr("--json")));
  }
  EXPECT_EQ(ada->request({{"cmd", "ping"}}).at("ok"), true);
}

TEST_F(ShellClients, WithoutARunningInstanceTheLineStatesWhatToDo) {
  const Words commands[] = {{"clients"}, {"groups"}, {"users"}, {"kick", "ada"}};
  for (const Words& words : commands) {
    expectOneLine(stormo.run(words), 1,
                  "stormo " + words[0] + ": instance 'stormo' in " + stormo.folder() +
                      "/run does not run (stormo start; or name another with --instance)");
  }
}

}  // namespace
}  // namespace stormo::integration
