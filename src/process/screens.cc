#include "process/screens.h"

#include <fmt/format.h>
#include <stormo/version.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "process/privileges.h"
#include "process/text_table.h"

namespace stormo::process {
namespace {

constexpr const char* kTls = " (TLS)";  // after the addresses of a role that has certificates
constexpr std::size_t kStartWidth = 66;
constexpr std::size_t kStatusWidth = 140;

/// A counter of a row; 0 in the master's row, which has none.
std::uint64_t number(const Json& row, const char* key) { return row.value(key, std::uint64_t{0}); }

std::string uptimeText(std::uint64_t seconds) {
  return fmt::format("{} days {} hours {} minutes", seconds / 86400, seconds / 3600 % 24,
                     seconds / 60 % 60);
}

/// Workerman's table of names, with a column of its own for exits caused by a reload.
std::string exitTable(const Json& processes) {
  struct Exits {
    std::string status = "-";
    std::uint64_t count = 0;
    std::uint64_t reloads = 0;
  };
  std::vector<std::string> names;
  std::map<std::string, Exits> exits;
  for (const Json& row : processes) {
    if (row.at("kind") == "master") continue;
    const std::string name = row.at("name");
    if (!exits.contains(name)) names.push_back(name);
    Exits& sum = exits[name];
    if (!row.at("exit_status").is_null()) sum.status = row.at("exit_status").dump();
    sum.count += number(row, "restarts");
    sum.reloads += number(row, "reloads");
  }
  TextTable table({"name", "event-loop", "exit_status", "exit_count", "reload_count"});
  for (const std::string& name : names) {
    const Exits& sum = exits[name];
    table.add({name, "epoll", sum.status, std::to_string(sum.count), std::to_string(sum.reloads)});
  }
  return table.text();
}

/// What limits have refused, of all processes of a name; empty if nothing.
std::string limitTable(const Json& processes) {
  struct Figures {
    std::uint64_t refused = 0;
    std::uint64_t dryRun = 0;
  };
  std::map<std::pair<std::string, std::string>, Figures> sums;
  for (const Json& row : processes) {
    const auto limits = row.find("limits");
    if (limits == row.end()) continue;
    for (const auto& [limit, figures] : limits->items()) {
      Figures& sum = sums[{row.at("name"), limit}];
      sum.refused += number(figures, "refused");
      sum.dryRun += number(figures, "dry_run");
    }
  }
  std::erase_if(
      sums, [](const auto& each) { return each.second.refused == 0 && each.second.dryRun == 0; });
  if (sums.empty()) return {};
  TextTable table({"name", "limit", "refused", "dry_run"});
  for (const auto& [key, sum] : sums) {
    std::string limit = key.second;
    std::ranges::replace(limit, '_', '-');
    table.add({key.first, limit, std::to_string(sum.refused), std::to_string(sum.dryRun)});
  }
  return ruler("LIMITS", kStatusWidth) + table.text();
}

/// What became of the messages for slow members, for each rule of which something is counted; empty
/// if there is none.
std::string slowTable(const Json& processes) {
  constexpr std::array kCounters = {"dropped", "conflated", "disconnected"};
  std::map<std::array<std::string, 3>, std::array<std::uint64_t, kCounters.size()>> sums;
  for (const Json& row : processes) {
    const auto rules = row.find("slow_groups");
    if (rules == row.end()) continue;
    for (const Json& rule : *rules) {
      std::string policy = rule.at("policy");
      if (number(rule, "every_ms") > 0) policy += fmt::format(":{}", number(rule, "every_ms"));
      auto& sum = sums[{row.at("name"), rule.at("groups"), policy}];
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += number(rule, kCounters[i]);
    }
  }
  std::erase_if(sums, [](const auto& each) {
    return std::ranges::all_of(each.second, [](std::uint64_t count) { return count == 0; });
  });
  if (sums.empty()) return {};
  TextTable table({"name", "groups", "policy", "dropped", "conflated", "disconnected"});
  for (const auto& [rule, sum] : sums) {
    table.add({rule[0], rule[1], rule[2], std::to_string(sum[0]), std::to_string(sum[1]),
               std::to_string(sum[2])});
  }
  return ruler("SLOW GROUPS", kStatusWidth) + table.text();
}

/// A process's links to Channels: "stormo connected", "none".
std::string channelText(const Json& row) {
  const auto found = row.find("channel_links");
  if (found == row.end() || row.at("kind") == "channel") return "-";
  std::string text;
  for (const Json& link : *found) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {}", link.at("dialect").get<std::string>(),
                        link.at("state").get<std::string>());
  }
  return text.empty() ? "none" : text;
}

std::vector<std::string> processCells(const Json& row) {
  const auto count = [&row](const char* key) { return std::to_string(number(row, key)); };
  const auto pid = row.at("pid").get<int>();
  return {pid == 0 ? "-" : std::to_string(pid),
          sizeText(row.at("memory_bytes")),
          row.value("listen", "-") + (row.value("tls", false) ? kTls : ""),
          row.at("name"),
          count("connections"),
          count("send_full"),
          count("timers"),
          count("messages_in"),
          count("qps"),
          channelText(row),
          fmt::format("[{}]", row.at("status").get<std::string>())};
}

std::string processTable(const Json& processes) {
  TextTable table({"pid", "memory", "listening", "name", "connections", "send_fail", "timers",
                   "total_request", "qps", "channel", "status"});
  Json sum = {{"pid", 0}, {"memory_bytes", 0}, {"name", "-"}, {"status", "Summary"}};
  for (const Json& row : processes) {
    table.add(processCells(row));
    for (const char* key :
         {"memory_bytes", "connections", "send_full", "timers", "messages_in", "qps"}) {
      sum[key] = number(sum, key) + number(row, key);
    }
  }
  auto cells = processCells(sum);
  cells[0] = "Summary";
  table.add(std::move(cells));
  return table.text();
}

}  // namespace

std::string sizeText(std::uint64_t bytes) {
  const char* unit = "B";
  double size = static_cast<double>(bytes);
  for (const char* larger : {"K", "M", "G", "T"}) {
    if (size < 1024) break;
    size /= 1024;
    unit = larger;
  }
  return bytes < 1024 ? fmt::format("{}B", bytes) : fmt::format("{:.2f}{}", size, unit);
}

std::string startScreen(const std::string& commandLine, const Program& program, bool daemon,
                        bool colors) {
  const std::string ok = colors ? "\033[32;40m[OK]\033[0m" : "[OK]";
  TextTable table({"user", "worker", "listen", "processes", "status"});
  for (const Role& role : program.roles) {
    const std::string user = role.user.empty() ? ownUserName() : role.user;
    const std::vector<std::string> addresses = shownAddresses(role);
    const char* const tls = role.credentials != nullptr ? kTls : "";
    table.add({user, role.name, addresses.empty() ? "none" : addresses.front() + tls,
               std::to_string(role.count), ok});
    for (std::size_t i = 1; i < addresses.size(); ++i) table.add({"", "", addresses[i], "", ""});
  }
  return ruler("STORMO", kStartWidth) +
         "Stormo version:" STORMO_VERSION "          event loop:epoll\n" +
         ruler("WORKERS", kStartWidth) + table.text() + ruler("", kStartWidth) +
         (daemon ? fmt::format("Input \"{} stop\" to stop. Start success.\n", commandLine)
                 : "Press Ctrl-C to quit. Start success.\n");
}

std::string statusScreen(const Json& report) {
  const Json& processes = report.at("processes");
  const Json& load = report.at("load_average");
  return ruler("GLOBAL STATUS", kStatusWidth) +
         fmt::format("Stormo/{}         program:{}         master pid:{}\n",
                     report.at("version").get<std::string>(),
                     report.at("program").get<std::string>(), report.at("pid").get<int>()) +
         fmt::format("start time:{}   run {}   load average: {:.2f}, {:.2f}, {:.2f}\n",
                     report.at("started_at").get<std::string>(), uptimeText(report.at("uptime_s")),
                     load.at(0).get<double>(), load.at(1).get<double>(), load.at(2).get<double>()) +
         fmt::format("{} workers    {} processes\n", report.at("workers").get<int>(),
                     processes.size() - 1) +
         exitTable(processes) + ruler("PROCESS STATUS", kStatusWidth) + processTable(processes) +
         limitTable(processes) + slowTable(processes);
}

std::string connectionsScreen(const Json& answer) {
  TextTable table({"PID", "Worker", "CID", "Trans", "Protocol", "ipv4", "ipv6", "Recv-Q", "Send-Q",
                   "Bytes-R", "Bytes-W", "Status", "Local Address", "Foreign Address"});
  for (const Json& row : answer.at("connections")) {
    const bool isIp = row.at("transport") != "unix";
    const bool isV6 = row.at("local_address").get_ref<const std::string&>().starts_with('[');
    table.add({row.at("pid").dump(), row.at("name"), row.at("id").dump(), row.at("transport"),
               row.at("protocol"), isIp && !isV6 ? "1" : "0", isIp && isV6 ? "1" : "0",
               sizeText(row.at("receive_queue_bytes")), sizeText(row.at("send_queue_bytes")),
               sizeText(row.at("bytes_read")), sizeText(row.at("bytes_written")), row.at("state"),
               row.at("local_address"), row.at("remote_address")});
  }
  for (const Json& silent : answer.at("busy")) {
    std::vector<std::string> row(14, "N/A");
    row[0] = silent.at("pid").dump();
    row[1] = silent.at("name");
    row[11] = "[busy]";
    table.add(std::move(row));
  }
  return table.text();
}

std::string nodesScreen(const Json& answer) {
  TextTable table({"node", "id", "state", "last_message"});
  std::string blocked;
  for (const Json& row : answer.at("nodes")) {
    table.add({row.at("node"), row.at("id"), row.at("state"),
               fmt::format("{:.1f} s ago", row.at("silent_s").get<double>())});
    if (row.at("blocked").is_null()) continue;
    blocked += fmt::format("{} can take no messages at the moment: {}\n",
                           row.at("node").get<std::string>(), row.at("blocked").get<std::string>());
  }
  for (const Json& silent : answer.at("busy")) {
    table.add({"N/A", "N/A", "[busy]", fmt::format("pid {}", silent.at("pid").get<int>())});
  }
  return table.text() + blocked;
}

}  // namespace stormo::process
