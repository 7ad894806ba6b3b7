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

/// `others`: counters of former children, to be added; or null.
Json limitsOf(const LimitCounters& own, const LimitCounters* others) {
  const auto figures = [&](LimitCounter LimitCounters::*limit) {
    const auto sum = [&](Counter LimitCounter::*counter) {
      return (own.*limit.*counter).get() +
             (others == nullptr ? 0 : (others->*limit.*counter).get());
    };
    return Json{{"refused", sum(&LimitCounter::refused)}, {"dry_run", sum(&LimitCounter::dryRun)}};
  };
  return {{"connections", figures(&LimitCounters::connections)},
          {"connections_per_address", figures(&LimitCounters::connectionsPerAddress)},
          {"connections_per_user", figures(&LimitCounters::connectionsPerUser)},
          {"connections_per_second", figures(&LimitCounters::connectionsPerSecond)},
          {"handshakes", figures(&LimitCounters::handshakes)},
          {"messages_per_second", figures(&LimitCounters::messagesPerSecond)},
          {"bytes_per_second", figures(&LimitCounters::bytesPerSecond)},
          {"messages_per_second_per_user", figures(&LimitCounters::messagesPerSecondPerUser)},
          {"bytes_per_second_per_user", figures(&LimitCounters::bytesPerSecondPerUser)},
          {"groups_per_client", figures(&LimitCounters::groupsPerClient)},
          {"output_bytes", figures(&LimitCounters::outputBytes)}};
}

/// `others`: counters of former children, to be added; or null.
void addCounters(Json& row, const Counters& own, const Counters* others) {
  const auto add = [&](const char* key, Counter Counters::*counter) {
    row[key] = (own.*counter).get() + (others == nullptr ? 0 : (others->*counter).get());
  };
  add("connections", &Counters::connections);
  add("connections_total", &Counters::connectionsTotal);
  add("groups", &Counters::groups);
  add("timers", &Counters::timers);
  add("messages_in", &Counters::messagesIn);
  add("messages_out", &Counters::messagesOut);
  add("bytes_in", &Counters::bytesIn);
  add("bytes_out", &Counters::bytesOut);
  add("send_calls", &Counters::sendCalls);
  add("send_full", &Counters::sendFull);
  add("slow_closed", &Counters::slowClosed);
  add("bad_peers", &Counters::badPeers);
  add("origins_refused", &Counters::originsRefused);
  add("incomplete_bytes", &Counters::incompleteBytes);
  add("incomplete_closed", &Counters::incompleteClosed);
  add("handler_errors", &Counters::handlerErrors);
  add("turns", &Counters::turns);
  add("accept_pauses", &Counters::acceptPauses);
  add("accept_refused", &Counters::acceptRefused);
  row["limits"] = limitsOf(own.limits, others == nullptr ? nullptr : &others->limits);
}

/// {"dialect":"stormo","state":"connected"} for each dialect in which the process has links. They
/// count as connected when all of them are, and as blocked when a Channel cannot take publishes.
Json channelLinks(const Counters& counters) {
  Json links = Json::array();
  const auto add = [&links](const char* dialect, const LinkCounters& of) {
    const std::uint64_t wanted = of.wanted.get();
    if (wanted == 0) return;
    const char* const state = of.up.get() < wanted   ? "connecting"
                              : of.blocked.get() > 0 ? "blocked"
                                                     : "connected";
    links.push_back({{"dialect", dialect}, {"state", state}});
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

/// `spare`: the spare slot of the same place, or null for the row of a spare slot. The counts of
/// its former children belong to the place, but a child in it has a row of its own.
Json childRow(const Slot& slot, const Slot* spare) {
  Json row = {{"pid", slot.pid()},
              {"kind", kindText(slot.role().kind)},
              {"name", slot.role().name},
              {"slot", slot.index()},
              {"listen", listenText(slot.role())},
              {"tls", slot.role().credentials != nullptr},
              {"status", statusWord(slot)},
              {"memory_bytes", slot.hasChild() ? memoryBytes(slot.pid()) : 0}};
  row["channel_links"] = slot.hasChild() ? channelLinks(slot.counters()) : Json::array();
  if (slot.role().kind == RoleKind::Channel) {
    const LogCounters& log = slot.counters().channelLog;
    row["log_blocked"] = isLogBlocked(slot);
    row["log_bytes"] = log.bytes.get();
    row["log_last_offset"] = log.lastOffset.get();
  }
  addCounters(row, slot.counters(),
              spare == nullptr || spare->hasChild() ? nullptr : &spare->counters());
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
    for (std::size_t i = 0; i < group->slots.size(); ++i) {
      processes.push_back(childRow(*group->slots[i], group->spares[i].get()));
    }
    for (const auto& spare : group->spares) {
      if (spare->hasChild()) processes.push_back(childRow(*spare, nullptr));
    }
  }
  return report;
}

}  // namespace stormo::process
