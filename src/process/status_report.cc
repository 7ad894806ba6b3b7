#include "process/status_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <stormo/slow_policy.h>
#include <stormo/version.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

namespace stormo::process {
namespace {

/// The kilobytes after `key` in a file of "Key:   123 kB" lines; 0 without such a line.
std::uint64_t kilobytes(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) return std::strtoull(line.c_str() + key.size(), nullptr, 10);
  }
  return 0;
}

std::string isoTime(std::chrono::system_clock::time_point when) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

bool isLogBlocked(const Slot& slot) { return slot.counters().channelLog.blocked.get() != 0; }

const char* statusWord(const Slot& slot) {
  switch (slot.state()) {
    case Slot::State::Down:
      return "down";
    case Slot::State::Starting:
      return "starting";
    case Slot::State::Stopping:
      return "stopping";
    case Slot::State::Backoff:
      return "backoff";
    case Slot::State::Ready:
      if (slot.isBusy()) return "busy";
      return isLogBlocked(slot) ? "log blocked" : "idle";
  }
  return "";
}

void addCounters(Json& row, const Counters& counters) {
  row["connections"] = counters.connections.get();
  row["connections_total"] = counters.connectionsTotal.get();
  row["groups"] = counters.groups.get();
  row["timers"] = counters.timers.get();
  row["messages_in"] = counters.messagesIn.get();
  row["messages_out"] = counters.messagesOut.get();
  row["bytes_in"] = counters.bytesIn.get();
  row["bytes_out"] = counters.bytesOut.get();
  row["send_calls"] = counters.sendCalls.get();
  row["send_full"] = counters.sendFull.get();
  row["slow_closed"] = counters.slowClosed.get();
  row["bad_peers"] = counters.badPeers.get();
  row["origins_refused"] = counters.originsRefused.get();
  row["incomplete_bytes"] = counters.incompleteBytes.get();
  row["incomplete_closed"] = counters.incompleteClosed.get();
  row["handler_errors"] = counters.handlerErrors.get();
  row["turns"] = counters.turns.get();
}

/// {"dialect":"stormo","state":"connected"} for each dialect in which the process has links. They
/// count as connected when all of them are.
Json channelLinks(const Counters& counters) {
  Json links = Json::array();
  const auto add = [&links](const char* dialect, const LinkCounters& of) {
    const std::uint64_t wanted = of.wanted.get();
    if (wanted == 0) return;
    links.push_back(
        {{"dialect", dialect}, {"state", of.up.get() >= wanted ? "connected" : "connecting"}});
  };
  add("stormo", counters.stormoLinks);
  add("workerman", counters.workermanLinks);
  return links;
}

const char* policyText(std::uint64_t policy) {
  switch (static_cast<SlowPolicy>(policy)) {
    case SlowPolicy::Disconnect:
      return "disconnect";
    case SlowPolicy::DropOldest:
      return "drop-oldest";
    case SlowPolicy::DropNewest:
      return "drop-newest";
    case SlowPolicy::Latest:
      return "latest";
  }
  return "";
}

/// What became of the messages for slow members, for each pattern of groups.
Json slowGroups(const Counters& counters) {
  Json rows = Json::array();
  for (const SlowRuleCounters& rule : counters.slowRules) {
    if (!rule.isUsed.load(std::memory_order_acquire)) break;
    rows.push_back({{"groups", rule.groups},
                    {"policy", policyText(rule.policy.get())},
                    {"every_ms", rule.everyMs.get()},
                    {"dropped", rule.dropped.get()},
                    {"conflated", rule.conflated.get()},
                    {"disconnected", rule.disconnected.get()}});
  }
  return rows;
}

Json childRow(const Slot& slot) {
  Json row = {{"pid", slot.pid()},
              {"kind", kindText(slot.role().kind)},
              {"name", slot.role().name},
              {"slot", slot.index()},
              {"listen", listenText(slot.role())},
              {"status", statusWord(slot)},
              {"memory_bytes", slot.hasChild() ? memoryBytes(slot.pid()) : 0}};
  row["channel_links"] = slot.hasChild() ? channelLinks(slot.counters()) : Json::array();
  if (slot.role().kind == RoleKind::Channel) {
    const LogCounters& log = slot.counters().channelLog;
    row["log_blocked"] = isLogBlocked(slot);
    row["log_bytes"] = log.bytes.get();
    row["log_last_offset"] = log.lastOffset.get();
  }
  addCounters(row, slot.counters());
  row["slow_groups"] = slowGroups(slot.counters());
  row["qps"] = std::llround(slot.messagesPerSecond());
  row["restarts"] = slot.restarts();
  row["reloads"] = slot.reloads();
  row["exit_status"] = slot.exitStatus() ? Json(*slot.exitStatus()) : Json(nullptr);
  row["uptime_s"] = slot.uptime().count();
  return row;
}

}  // namespace

std::uint64_t memoryBytes(pid_t pid) {
  std::uint64_t size = kilobytes(fmt::format("/proc/{}/smaps_rollup", pid), "Pss:");
  if (size == 0) size = kilobytes(fmt::format("/proc/{}/status", pid), "VmRSS:");
  return size * 1024;
}

std::string listenText(const Role& role) {
  const std::vector<std::string> addresses = shownAddresses(role);
  return addresses.empty() ? "none" : fmt::format("{}", fmt::join(addresses, ", "));
}

Json statusReport(const std::string& programName, const StartTime& started,
                  const std::vector<std::unique_ptr<RoleGroup>>& roles) {
  const auto uptime =
      std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - started.steady);
  std::array<double, 3> load{};
  ::getloadavg(load.data(), 3);
  Json report = {{"program", programName},     {"version", STORMO_VERSION},
                 {"pid", ::getpid()},          {"started_at", isoTime(started.wall)},
                 {"uptime_s", uptime.count()}, {"load_average", load},
                 {"workers", roles.size()}};
  Json& processes = report["processes"] = Json::array();
  processes.push_back({{"pid", ::getpid()},
                       {"kind", "master"},
                       {"name", "master"},
                       {"status", "idle"},
                       {"memory_bytes", memoryBytes(::getpid())},
                       {"uptime_s", uptime.count()}});
  for (const auto& group : roles) {
    for (const auto& slot : group->slots) processes.push_back(childRow(*slot));
  }
  return report;
}

}  // namespace stormo::process
