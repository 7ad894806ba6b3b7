#include "server/control_values.h"

#include <gmock/gmock.h>

#include <stdexcept>

namespace stormo::server {
namespace {

using testing::ElementsAre;

Value pageOf(std::initializer_list<std::pair<const char*, int>> counts, bool more) {
  Value items = Value::list();
  for (const auto& [name, clients] : counts) {
    items.append(Value::array({{"name", name}, {"clients", clients}}));
  }
  return Value::array({{"items", items}, {"more", more}});
}

std::string textOf(const Backend::Counts& counts) {
  std::string text;
  for (const auto& each : counts.items) text += each.name + std::to_string(each.clients) + ' ';
  return text + (counts.hasMore ? "more" : "end") + (counts.isComplete ? "" : " incomplete");
}

TEST(ControlValues, CountsOfAllProcessesAreSummedByName) {
  const Replies replies{
      .values = {pageOf({{"a", 1}, {"c", 2}}, false), pageOf({{"a", 3}, {"b", 4}}, false)},
      .isComplete = true};
  EXPECT_EQ(textOf(mergeCounts(replies, 10)), "a4 b4 c2 end");
  EXPECT_EQ(textOf(mergeCounts(replies, 2)), "a4 b4 more");
}

TEST(ControlValues, APageEndsWhereAProcessMayHaveMore) {
  // The first process may have clients in "c", too: it did not state them.
  const Replies replies{
      .values = {pageOf({{"a", 1}, {"b", 1}}, true), pageOf({{"a", 1}, {"c", 1}}, false)},
      .isComplete = true};
  EXPECT_EQ(textOf(mergeCounts(replies, 10)), "a2 b1 more");
}

TEST(ControlValues, AMissingOrMalformedReplyMakesAResultIncomplete) {
  EXPECT_EQ(textOf(mergeCounts({.values = {pageOf({{"a", 1}}, false)}}, 10)), "a1 end incomplete");
  EXPECT_EQ(
      textOf(mergeCounts(
          {.values = {Value("nonsense"), pageOf({{"a", 1}}, false)}, .isComplete = true}, 10)),
      "a1 end incomplete");
}

TEST(ControlValues, ClientsAreMergedById) {
  const auto client = [](const char* id) {
    return Value::array({{"id", id},
                         {"user", "ada"},
                         {"info", R"({"a":1})"},
                         {"address", "203.0.113.7:50123"},
                         {"protocol", "stormo.v1"},
                         {"connected_at", 1'800'000'000},
                         {"groups", Value::list({"b", "a"})}});
  };
  const Replies replies{
      .values = {Value::array({{"items", Value::list({client("2")})}, {"more", false}}),
                 Value::array({{"items", Value::list({client("1")})}, {"more", false}})},
      .isComplete = true};
  const Backend::Clients merged = mergeClients(replies, 10);
  ASSERT_EQ(merged.items.size(), 2u);
  EXPECT_EQ(merged.items[0].id, "1");
  EXPECT_EQ(merged.items[1].id, "2");
  EXPECT_EQ(merged.items[0].user, "ada");
  EXPECT_EQ(merged.items[0].connectedAt, 1'800'000'000);
  EXPECT_THAT(merged.items[0].groups, ElementsAre("a", "b"));
  EXPECT_TRUE(mergeClients(replies, 1).hasMore);
}

TEST(ControlValues, TotalsAreSums) {
  const Value one = Value::array({{"clients", 2}, {"users", 1}, {"groups", 3}});
  const auto totals = mergeTotals({.values = {one, one}, .isComplete = true});
  EXPECT_EQ(totals.clients, 4u);
  EXPECT_EQ(totals.users, 2u);
  EXPECT_EQ(totals.groups, 6u);
  EXPECT_EQ(totals.processes, 2u);
}

TEST(ControlValues, CommandsAreForClientsAndNotForGroups) {
  EXPECT_EQ(commandFor(Audience::user("8"), "join")["user"], Value("8"));
  EXPECT_EQ(commandFor(Audience::client(std::string(32, 'c')), "join")["client"],
            Value(std::string(32, 'c')));
  EXPECT_EQ(commandFor(Audience::everybody(), "join")["all"], Value(true));
  EXPECT_THROW(static_cast<void>(commandFor(Audience::group("g"), "join")), std::invalid_argument);
}

TEST(ControlValues, ExceptionsAreNamesInARow) {
  EXPECT_EQ(exceptionsText({}), "");
  const Audience ada = Audience::user("ada");
  const std::string one = std::string(1, '\5') + ada.channelName();
  EXPECT_EQ(exceptionsText({ada}), one);
  EXPECT_EQ(exceptionsText({ada, ada}), one + one);
  EXPECT_THROW(static_cast<void>(exceptionsText({Audience::group("g")})), std::invalid_argument);
  const std::vector<Audience> many(300, Audience::user(std::string(253, 'x')));
  EXPECT_THROW(static_cast<void>(exceptionsText(many)), std::invalid_argument);
}

TEST(ControlValues, RevocationsOfAUserOrTokenHaveOneKey) {
  const auto key = [](const Backend::Revocation& each) { return revocationKey(each); };
  EXPECT_EQ(key({.user = "ada", .until = 1}), key({.user = "ada", .until = 2}));
  EXPECT_NE(key({.user = "ada"}), key({.token = "ada"}));
  const Value all = revocationValue({.user = "ada", .until = 7});
  EXPECT_FALSE(all.contains("issued_before"));
  EXPECT_EQ(all["until"].asInt(), 7);
  EXPECT_THROW(static_cast<void>(revocationValue({})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(revocationValue({.user = "a", .token = "b"})),
               std::invalid_argument);
}

}  // namespace
}  // namespace stormo::server
