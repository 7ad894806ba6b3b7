#include "process/screens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stormo/version.h>

#include <nlohmann/json.hpp>

#include "process/text_table.h"

namespace stormo::process {
namespace {

using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;

TEST(TextTable, AlignsColumnsToTheirWidestCell) {
  TextTable table({"a", "long head", "z"});
  table.add({"wide cell", "b", "end"});
  EXPECT_EQ(table.text(), "a          long head  z\nwide cell  b          end\n");
}

TEST(SizeText, SizesAreShort) {
  EXPECT_EQ(sizeText(0), "0B");
  EXPECT_EQ(sizeText(1023), "1023B");
  EXPECT_EQ(sizeText(1024), "1.00K");
  EXPECT_EQ(sizeText(1'142'948), "1.09M");
}

Program twoKinds() {
  Program program;
  program.roles.push_back({.kind = RoleKind::Channel, .name = "ChannelServer", .user = "nobody"});
  program.roles.push_back({.kind = RoleKind::Worker, .name = "none", .count = 12});
  program.roles[1].listen = {{.label = "websocket://0.0.0.0:1234", .address = {}},
                             {.label = "unix:///run/chat.sock", .address = {}}};
  return program;
}

TEST(StartScreen, ShowsEachRoleWithItsUserAddressesAndCount) {
  const std::string screen = startScreen("chat", twoKinds(), false, false);
  EXPECT_THAT(screen, HasSubstr("Stormo version:" STORMO_VERSION));
  EXPECT_THAT(screen, ContainsRegex("nobody +ChannelServer +none +1 +\\[OK\\]\n"));
  EXPECT_THAT(screen, ContainsRegex(
                          "none +websocket://0.0.0.0:1234 +12 +\\[OK\\]\n +unix:///run/chat.sock"));
  EXPECT_THAT(screen, HasSubstr("\nPress Ctrl-C to quit. Start success.\n"));
  EXPECT_EQ(screen.find('\033'), std::string::npos);
}

TEST(StartScreen, OfADaemonShowsTheStopCommand) {
  EXPECT_THAT(startScreen("chat", twoKinds(), true, true),
              HasSubstr("\nInput \"chat stop\" to stop. Start success.\n"));
}

Json workerRow(int pid, const char* status) {
  return {{"pid", pid},
          {"kind", "worker"},
          {"name", "none"},
          {"slot", 0},
          {"listen", "text://127.0.0.1:5"},
          {"status", status},
          {"memory_bytes", 2048},
          {"connections", 3},
          {"send_full", 1},
          {"timers", 2},
          {"messages_in", 40},
          {"qps", 7},
          {"channel_links", {{{"dialect", "stormo"}, {"state", "connected"}}}},
          {"restarts", 4},
          {"reloads", 5},
          {"exit_status", 137},
          {"uptime_s", 1}};
}

Json reportOf(Json rows) {
  return {{"program", "chat"}, {"version", "9.9.9"},
          {"pid", 77},         {"started_at", "2026-11-24T10:00:00Z"},
          {"uptime_s", 90061}, {"load_average", {0.5, 0.25, 0.125}},
          {"workers", 1},      {"processes", std::move(rows)}};
}

TEST(StatusScreen, HasWorkermansTwoTablesAndASummary) {
  const Json master = {{"pid", 77},
                       {"kind", "master"},
                       {"name", "master"},
                       {"status", "idle"},
                       {"memory_bytes", 1024}};
  Json down = workerRow(0, "backoff");
  down["channel_links"] = Json::array();
  const std::string screen = statusScreen(reportOf({master, workerRow(78, "idle"), down}));
  EXPECT_THAT(screen, HasSubstr("Stormo/9.9.9"));
  EXPECT_THAT(screen, HasSubstr("run 1 days 1 hours 1 minutes   load average: 0.50, 0.25, 0.12"));
  EXPECT_THAT(screen, HasSubstr("1 workers    2 processes"));
  EXPECT_THAT(screen, ContainsRegex("\nnone +epoll +137 +8 +10\n"));
  EXPECT_THAT(screen, ContainsRegex("\n78 +2.00K +text://127.0.0.1:5 +none +3 +1 +2 +40 +7 +"
                                    "stormo connected +\\[idle\\]\n"));
  EXPECT_THAT(screen, ContainsRegex("\n- +2.00K .* 7 +none +\\[backoff\\]\n"));
  EXPECT_THAT(screen, ContainsRegex("\nSummary +5.00K +- +- +6 +2 +4 +80 +14 +- +\\[Summary\\]\n"));
}

TEST(StatusScreen, ShowsTheLimitsThatHaveRefusedSomething) {
  Json row = workerRow(78, "idle");
  row["limits"] = {{"connections", {{"refused", 0}, {"dry_run", 0}}},
                   {"connections_per_address", {{"refused", 3}, {"dry_run", 0}}},
                   {"groups_per_client", {{"refused", 0}, {"dry_run", 4}}}};
  const std::string screen = statusScreen(reportOf({row, row}));
  EXPECT_THAT(screen, ContainsRegex("-+ LIMITS -+\nname +limit +refused +dry_run *\n"
                                    "none +connections-per-address +6 +0 *\n"
                                    "none +groups-per-client +0 +8 *\n$"));
  EXPECT_EQ(statusScreen(reportOf({workerRow(78, "idle")})).find("LIMITS"), std::string::npos);
}

TEST(StatusScreen, ShowsTheGroupsOfWhichSlowClientsHaveMissedSomething) {
  const auto rule = [](const char* groups, const char* policy, int everyMs, int dropped) {
    return Json{{"groups", groups},   {"policy", policy},         {"every_ms", everyMs},
                {"dropped", dropped}, {"conflated", 2 * dropped}, {"disconnected", 0}};
  };
  Json row = workerRow(78, "idle");
  row["slow_groups"] = {rule("quiet.*", "drop-newest", 0, 0), rule("ticker.*", "latest", 100, 3),
                        rule("all", "drop-oldest", 0, 4)};
  const std::string screen = statusScreen(reportOf({row, row}));
  EXPECT_THAT(screen, ContainsRegex("-+ SLOW GROUPS -+\nname +groups +policy +dropped +conflated "
                                    "+disconnected *\n"
                                    "none +all +drop-oldest +8 +16 +0 *\n"
                                    "none +ticker\\.\\* +latest:100 +6 +12 +0 *\n$"));
  row["slow_groups"] = {rule("quiet.*", "drop-newest", 0, 0)};
  EXPECT_EQ(statusScreen(reportOf({row})).find("SLOW"), std::string::npos);
}

TEST(ConnectionsScreen, HasARowForEachConnectionAndForEachBusyChild) {
  const Json answer = {{"connections",
                        {{{"pid", 5},
                          {"kind", "worker"},
                          {"name", "none"},
                          {"slot", 0},
                          {"id", 8},
                          {"transport", "tcp"},
                          {"protocol", "websocket"},
                          {"state", "OPEN"},
                          {"receive_queue_bytes", 0},
                          {"send_queue_bytes", 2048},
                          {"bytes_read", 166},
                          {"bytes_written", 154},
                          {"local_address", "[::1]:2206"},
                          {"remote_address", "[::1]:50662"}}}},
                       {"busy", {{{"pid", 6}, {"kind", "worker"}, {"name", "none"}, {"slot", 1}}}}};
  const std::string screen = connectionsScreen(answer);
  EXPECT_THAT(screen,
              ContainsRegex("\n5 +none +8 +tcp +websocket +0 +1 +0B +2.00K +166B +154B +OPEN +"
                            "\\[::1\\]:2206 +\\[::1\\]:50662\n"));
  EXPECT_THAT(screen, ContainsRegex("\n6 +none +N/A .*\\[busy\\]"));
}

TEST(Screens, NodesAreRowsAndALineStatesWhyThisOneCanTakeNoMessages) {
  Json answer = {{"nodes",
                  {{{"node", "h1"},
                    {"id", "00000000000000a1"},
                    {"state", "this node"},
                    {"silent_s", 0.26},
                    {"blocked", nullptr}},
                   {{"node", "north-2"},
                    {"id", "00000000000000b2"},
                    {"state", "gone"},
                    {"silent_s", 3600.0},
                    {"blocked", nullptr}}}},
                 {"busy", Json::array()}};
  EXPECT_EQ(nodesScreen(answer),
            "node     id                state      last_message\n"
            "h1       00000000000000a1  this node  0.3 s ago\n"
            "north-2  00000000000000b2  gone       3600.0 s ago\n");
  answer["nodes"][0]["blocked"] = "no servers available";
  EXPECT_THAT(nodesScreen(answer),
              EndsWith("\nh1 can take no messages at the moment: no servers available\n"));
  answer = {{"nodes", Json::array()},
            {"busy", {{{"pid", 6}, {"kind", "channel"}, {"name", "channel"}, {"slot", 0}}}}};
  EXPECT_EQ(nodesScreen(answer),
            "node  id   state   last_message\n"
            "N/A   N/A  [busy]  pid 6\n");
}

}  // namespace
}  // namespace stormo::process
