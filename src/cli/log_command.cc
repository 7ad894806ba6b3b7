#include "cli/log_command.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "channel/log/log_report.h"
#include "channel/log/real_log_directory.h"
#include "cli/parse_arguments.h"
#include "cli/printable.h"
#include "process/text_table.h"
#include "sys/standard_streams.h"

namespace {

using namespace stormo;
using channel::LogReport;
using cli::printable;
using process::TextTable;
using Json = nlohmann::ordered_json;

std::string hex(std::uint64_t number) { return fmt::format("{:016x}", number); }

std::string bytesText(std::uint64_t bytes) {
  constexpr std::array<const char*, 4> kUnits = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double amount = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < kUnits.size(); ++unit) amount /= 1024;
  return fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

std::string timeText(std::uint64_t milliseconds) {
  const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}{:%z}", fmt::localtime(seconds),
                     milliseconds % 1000, fmt::localtime(seconds));
}

std::string offsetsText(const LogReport::Segment& segment) {
  if (segment.records() == 0) return fmt::format("{} (none yet)", segment.first);
  return fmt::format("{} to {}", segment.first, segment.last);
}

std::string markText(const LogReport& report) {
  if (!report.mark) return "none";
  const channel::MarkContent& mark = *report.mark;
  return fmt::format("offset {}, epoch {}, sync {}, {}{}", mark.offset, hex(mark.epoch),
                     syncPolicyText(mark.policy),
                     mark.clean ? "ended cleanly" : "in use or not ended cleanly",
                     report.isMarkOwn ? "" : "; it is a copy, for example from a backup");
}

std::string trafficText(const char* what, const std::vector<LogReport::Traffic>& names) {
  if (names.empty()) return "";
  TextTable table({what, "MESSAGES", "BYTES"});
  for (const LogReport::Traffic& each : names) {
    table.add({printable(each.name), std::to_string(each.count), bytesText(each.bytes)});
  }
  return "\n" + table.text();
}

std::string damageText(const LogReport& report) {
  std::string text;
  for (const LogReport::Damage& each : report.damage) {
    text += fmt::format("\ndamaged: {} at byte {}: {}", each.file, each.at, each.what);
  }
  return text.empty() ? text : text + "\n";
}

std::string toText(const LogReport& report) {
  std::string text;
  const auto line = [&](const char* name, const std::string& value) {
    text += fmt::format("{:<9}{}\n", name, value);
  };
  line("records", std::to_string(report.records));
  if (report.records > 0) {
    line("from", timeText(report.firstTime));
    line("to", timeText(report.lastTime));
  }
  line("size", bytesText(report.bytes));
  line("mark", markText(report));
  if (report.incompleteBytes > 0) {
    line("end",
         fmt::format("a write of {} that is not complete", bytesText(report.incompleteBytes)));
  }
  if (!report.segments.empty()) {
    TextTable table({"SEGMENT", "OFFSETS", "RECORDS", "SIZE", "EPOCH", "BOOT"});
    for (const LogReport::Segment& each : report.segments) {
      table.add({each.file, offsetsText(each), std::to_string(each.records()),
                 bytesText(each.bytes), hex(each.epoch), each.isOfThisBoot ? "this" : "another"});
    }
    text += "\n" + table.text();
  }
  if (!report.snapshots.empty()) {
    TextTable table({"SNAPSHOT", "OFFSET", "SIZE", "EPOCH", "STATE"});
    for (const LogReport::Snapshot& each : report.snapshots) {
      table.add({each.file, std::to_string(each.offset), bytesText(each.bytes), hex(each.epoch),
                 each.isValid ? "valid" : "damaged"});
    }
    text += "\n" + table.text();
  }
  if (!report.kinds.empty()) {
    TextTable table({"PACKET", "RECORDS"});
    for (const auto& [kind, count] : report.kinds) table.add({kind, std::to_string(count)});
    text += "\n" + table.text();
  }
  text += trafficText("GROUP", report.groups);
  text += trafficText("EVENT", report.events);
  text += trafficText("QUEUE", report.queues);
  return text + damageText(report);
}

Json trafficJson(const std::vector<LogReport::Traffic>& names) {
  Json json = Json::array();
  for (const LogReport::Traffic& each : names) {
    json.push_back({{"name", each.name}, {"messages", each.count}, {"bytes", each.bytes}});
  }
  return json;
}

Json markJson(const LogReport& report) {
  if (!report.mark) return nullptr;
  return {{"offset", report.mark->offset},
          {"epoch", hex(report.mark->epoch)},
          {"sync", syncPolicyText(report.mark->policy)},
          {"clean", report.mark->clean},
          {"copy", !report.isMarkOwn}};
}

Json toJson(const LogReport& report) {
  Json segments = Json::array();
  for (const LogReport::Segment& each : report.segments) {
    segments.push_back({{"file", each.file},
                        {"first", each.first},
                        {"records", each.records()},
                        {"bytes", each.bytes},
                        {"epoch", hex(each.epoch)},
                        {"this_boot", each.isOfThisBoot}});
  }
  Json snapshots = Json::array();
  for (const LogReport::Snapshot& each : report.snapshots) {
    snapshots.push_back({{"file", each.file},
                         {"offset", each.offset},
                         {"bytes", each.bytes},
                         {"epoch", hex(each.epoch)},
                         {"valid", each.isValid}});
  }
  Json damage = Json::array();
  for (const LogReport::Damage& each : report.damage) {
    damage.push_back({{"file", each.file}, {"at", each.at}, {"what", each.what}});
  }
  return {{"records", report.records},
          {"bytes", report.bytes},
          {"first_time_ms", report.firstTime},
          {"last_time_ms", report.lastTime},
          {"incomplete_bytes", report.incompleteBytes},
          {"mark", markJson(report)},
          {"segments", segments},
          {"snapshots", snapshots},
          {"packets", report.kinds},
          {"groups", trafficJson(report.groups)},
          {"events", trafficJson(report.events)},
          {"queues", trafficJson(report.queues)},
          {"damage", damage}};
}

LogReport readLog(const std::string& path) {
  const auto directory = channel::RealLogDirectory::at(path);
  if (!directory) throw std::runtime_error(path + ": " + directory.error().message());
  auto report = channel::LogReader(*directory.value()).read();
  if (!report) throw std::runtime_error(path + ": " + report.error().message());
  return std::move(*report);
}

}  // namespace

int runLog(int argc, char** argv) {
  CLI::App app(
      "Show what the files of a Channel's log hold, without changing them: also of a damaged log, "
      "and\nof one that is in use",
      "stormo log");
  std::string path;
  bool json = false;
  bool verify = false;
  app.add_option("directory", path, "Directory of the log")->required();
  app.add_flag("--json", json, "Print JSON");
  app.add_flag("--verify", verify, "Exit with status 1 if something is damaged");

  try {
    openStandardStreams();
    if (const auto status = parseArguments(app, argc, argv)) return *status;
    const LogReport report = readLog(path);
    printOut(json ? toJson(report).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                  : toText(report));
    return verify && !report.damage.empty() ? 1 : 0;
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "stormo log: %s\n", failed.what());
    return 1;
  }
}
