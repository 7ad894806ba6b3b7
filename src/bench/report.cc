#include "bench/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>

namespace stormo::bench {
namespace {

double perSecond(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

double microseconds(std::uint64_t ns) { return static_cast<double>(ns) / 1000; }

// CPU seconds of the server per million deliveries equal microseconds per delivery.
double cpuMicrosecondsPerDelivery(const Report& report) {
  if (report.delivered == 0) return 0;
  return report.serverCpuSeconds * 1e6 / static_cast<double>(report.delivered);
}

double bytesPerConnection(const Plan& plan, const Report& report) {
  if (report.memoryBytes < report.memoryBytesBefore) return 0;
  return static_cast<double>(report.memoryBytes - report.memoryBytesBefore) /
         static_cast<double>(plan.members);
}

std::string grouped(double number) {
  const std::string digits = fmt::format("{:.0f}", number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

/// "5,000 connections made again; in each of 30 seconds: 140 to 190, 167 on average". Of the
/// seconds in which any was.
std::string returnedText(const Report& report) {
  std::string text = grouped(static_cast<double>(report.returned)) + " connections made again";
  std::vector<std::uint64_t> seconds;
  std::ranges::copy_if(report.returnedInSecond, std::back_inserter(seconds),
                       [](std::uint64_t count) { return count > 0; });
  if (seconds.empty()) return text;
  const auto [least, most] = std::ranges::minmax(seconds);
  const std::uint64_t sum = std::accumulate(seconds.begin(), seconds.end(), std::uint64_t{0});
  return text + fmt::format("; in {} seconds: {} to {} a second, {} on average", seconds.size(),
                            least, most, sum / seconds.size());
}

}  // namespace

nlohmann::ordered_json toJson(const Plan& plan, const Report& report) {
  nlohmann::ordered_json json = {
      {"members", plan.members},
      {"groups", plan.groups},
      {"publishers", plan.publishers},
      {"message_bytes", plan.messageBytes},
      {"connects_per_second", perSecond(plan.members, report.connectSeconds)},
      {"seconds", report.seconds},
      {"published_per_second", perSecond(report.published, report.seconds)},
      {"delivered_per_second", perSecond(report.delivered, report.seconds)},
      {"latency_us",
       {{"p50", microseconds(report.latency.quantile(0.5))},
        {"p90", microseconds(report.latency.quantile(0.9))},
        {"p99", microseconds(report.latency.quantile(0.99))},
        {"p99.9", microseconds(report.latency.quantile(0.999))},
        {"max", microseconds(report.latency.max())}}},
      {"closed", report.closed},
      {"missing", report.missing},
      {"surplus", report.surplus},
      {"disordered", report.disordered},
      {"flawless", report.isFlawless()},
  };
  plan.isOpenLoop() ? json["rate"] = plan.rate : json["in_flight"] = plan.inFlight;
  if (plan.isV1) {
    json["returned"] = report.returned;
    json["returned_in_second"] = report.returnedInSecond;
    json["refused"] = report.refused;
  }
  if (!report.firstFault.empty()) json["first_fault"] = report.firstFault;
  if (report.serverProcesses > 0) {
    json["server"] = {
        {"processes", report.serverProcesses},
        {"cpu_us_per_connect", report.connectCpuSeconds * 1e6 / static_cast<double>(plan.members)},
        {"cpu_seconds", report.serverCpuSeconds},
        {"cpu_share", report.seconds > 0 ? report.serverCpuSeconds / report.seconds : 0},
        {"cpu_us_per_delivery", cpuMicrosecondsPerDelivery(report)},
        {"memory_bytes", report.memoryBytes},
        {"memory_bytes_per_connection", bytesPerConnection(plan, report)},
    };
  }
  return json;
}

std::string toText(const Plan& plan, const Report& report) {
  std::string text;
  const auto line = [&](std::string_view name, const std::string& value) {
    text += fmt::format("{:<12}{}\n", name, value);
  };
  line("connects", fmt::format("{} members in {} groups, {} a second", plan.members, plan.groups,
                               grouped(perSecond(plan.members, report.connectSeconds))));
  if (!plan.isIdle()) {
    line("published", grouped(perSecond(report.published, report.seconds)) + " a second");
    line("delivered",
         fmt::format("{} a second, {} bytes each",
                     grouped(perSecond(report.delivered, report.seconds)), plan.messageBytes));
    const auto quantile = [&](double part) { return microseconds(report.latency.quantile(part)); };
    line("latency", fmt::format("p50 {:.0f}  p90 {:.0f}  p99 {:.0f}  p99.9 {:.0f}  max {:.0f} µs",
                                quantile(0.5), quantile(0.9), quantile(0.99), quantile(0.999),
                                microseconds(report.latency.max())));
  }
  if (plan.isV1) line("returned", returnedText(report));
  if (report.serverProcesses > 0) {
    const double share = report.seconds > 0 ? 100 * report.serverCpuSeconds / report.seconds : 0;
    std::string cpu = fmt::format("{:.1f} % of a processor", share);
    if (report.delivered > 0) {
      cpu += fmt::format(", {:.3f} µs a delivery", cpuMicrosecondsPerDelivery(report));
    }
    cpu += fmt::format("; {:.1f} µs a connect",
                       report.connectCpuSeconds * 1e6 / static_cast<double>(plan.members));
    line("server CPU", cpu);
    line("memory", fmt::format("{:.1f} MiB in {} processes, {:.0f} bytes a connection",
                               static_cast<double>(report.memoryBytes) / (1 << 20),
                               report.serverProcesses, bytesPerConnection(plan, report)));
  }
  if (report.isFlawless()) {
    if (!plan.isIdle()) line("checked", "all messages received, in order, no duplicates");
  } else {
    line("FAULTS",
         fmt::format(
             "{} connections closed, {} messages missing, {} too many, {} out of "
             "order{}",
             report.closed, report.missing, report.surplus, report.disordered,
             report.refused == 0 ? "" : fmt::format(", {} attempts refused", report.refused)));
    if (!report.firstFault.empty()) line("", report.firstFault);
  }
  return text;
}

}  // namespace stormo::bench
