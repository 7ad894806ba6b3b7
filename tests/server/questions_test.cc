// What the backend asks: see docs/control.md.
#include "server/backend_fixture.h"

namespace stormo::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class QuestionsTest : public BackendTest {
 protected:
  /// The replies of both workers.
  std::vector<Value> askAll(const Value& question) {
    std::optional<Replies> all;
    backend->requestAll(kQuestionEvent, question, std::chrono::seconds(20),
                        [&](const Result<Replies>& replies) {
                          ASSERT_TRUE(replies);
                          all = replies.value();
                        });
    EXPECT_TRUE(turnUntil([&] { return all.has_value(); }));
    EXPECT_TRUE(all->isComplete);
    EXPECT_EQ(all->values.size(), 2u);
    return all->values;
  }
  static std::vector<std::string> namesIn(const std::vector<Value>& replies) {
    std::vector<std::string> names;
    for (const Value& reply : replies) {
      for (const auto& [key, item] : reply["items"]) {
        names.push_back(item["name"].text() + '=' + item["clients"].text());
      }
    }
    std::ranges::sort(names);
    return names;
  }
};

TEST_F(QuestionsTest, GroupsUsersAndTotals) {
  startAll();
  Client plain = ada(false);
  Client v1Client = ada(true);
  Client bob = withToken(R"({"sub":"bob"})", true);
  await(bob, 1);
  EXPECT_EQ(brief({ask(v1Client, R"({"id":1,"cmd":"join","to":"user"})")})[0], "ok 1");
  for (const char* group : {"kept1", "kept2"}) {
    command(Value::array({{"cmd", "join"}, {"user", "ada"}, {"group", group}}));
  }
  command(Value::array({{"cmd", "join"}, {"user", "bob"}, {"group", "other"}}));
  EXPECT_THAT(brief(await(v1Client, 2)), ElementsAre("joined", "joined"));
  await(bob, 1);

  EXPECT_THAT(namesIn(askAll(Value::array({{"ask", "groups"}}))),
              ElementsAre("kept1=2", "kept2=2", "other=1"));
  const auto page = askAll(Value::array({{"ask", "groups"}, {"pattern", "kept*"}, {"limit", 1}}));
  EXPECT_THAT(namesIn(page), ElementsAre("kept1=2"));
  EXPECT_TRUE(page[0]["more"].asBool() || page[1]["more"].asBool());
  EXPECT_THAT(namesIn(askAll(Value::array({{"ask", "groups"}, {"after", "kept2"}}))),
              ElementsAre("other=1"));
  EXPECT_THAT(namesIn(askAll(Value::array({{"ask", "users"}}))), ElementsAre("ada=2", "bob=1"));
  EXPECT_THAT(namesIn(askAll(Value::array({{"ask", "users"}, {"after", "ada"}}))),
              ElementsAre("bob=1"));
  EXPECT_THAT(namesIn(askAll(Value::array({{"ask", "users"}, {"limit", 1}}))),
              ElementsAre("ada=2"));
  std::int64_t clients = 0, users = 0, groups = 0;
  for (const Value& reply : askAll(Value::array({{"ask", "totals"}}))) {
    clients += reply["clients"].asInt();
    users += reply["users"].asInt();
    groups += reply["groups"].asInt();
  }
  EXPECT_EQ(clients, 3);
  EXPECT_EQ(users, 2);
  EXPECT_EQ(groups, 3);
}

TEST_F(QuestionsTest, ClientsOfAUserAGroupEverybodyOrOne) {
  startAll();
  Client plain = ada(false);
  Client v1Client = ada(true);
  command(Value::array({{"cmd", "join"}, {"user", "ada"}, {"group", "kept"}}));
  await(v1Client, 1);
  const std::string id = idOf(plain, false);
  const auto itemsOf = [&](const Value& question) {
    std::vector<Value> items;
    for (const Value& reply : askAll(question)) {
      for (const auto& [key, item] : reply["items"]) items.push_back(item);
    }
    return items;
  };
  const auto one = itemsOf(Value::array({{"ask", "clients"}, {"client", id}}));
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0]["id"].asString(), id);
  EXPECT_EQ(one[0]["user"].asString(), "ada");
  EXPECT_EQ(one[0]["info"].asString(), R"({"a":1})");
  EXPECT_EQ(one[0]["protocol"].asString(), "commands");
  EXPECT_EQ(one[0]["groups"], Value::list({"kept"}));
  EXPECT_TRUE(one[0]["address"].asString().starts_with("127.0.0.1:"));
  EXPECT_GT(one[0]["connected_at"].asInt(), 1'700'000'000);
  EXPECT_EQ(itemsOf(Value::array({{"ask", "clients"}, {"user", "ada"}})).size(), 2u);
  EXPECT_EQ(itemsOf(Value::array({{"ask", "clients"}, {"group", "kept"}})).size(), 2u);
  EXPECT_EQ(itemsOf(Value::array({{"ask", "clients"}, {"all", true}})).size(), 2u);
  EXPECT_THAT(itemsOf(Value::array({{"ask", "clients"}, {"user", "bob"}})), IsEmpty());
  EXPECT_EQ(itemsOf(Value::array({{"ask", "clients"}, {"user", "ada"}, {"limit", 1}})).size(), 1u);
  for (const Value& reply : askAll(Value::array({{"ask", "clients"}}))) {
    EXPECT_EQ(reply["error"].asString(), "exactly one of user, client and all must be given");
  }
  for (const Value& reply : askAll(Value("what?"))) {
    EXPECT_EQ(reply["error"].asString(), "ask must be groups, users, clients or totals");
  }
}

}  // namespace
}  // namespace stormo::server
