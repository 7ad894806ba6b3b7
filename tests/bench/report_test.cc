#include "bench/report.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace stormo::bench {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

const Plan kPlan{.members = 1000, .groups = 10, .publishers = 20, .messageBytes = 64};

/// A report with round figures.
Report flawless() {
  Report report;
  report.connectSeconds = 0.5;
  report.seconds = 2;
  report.published = 2'469;
  report.delivered = 2'469'134;
  for (std::uint64_t us = 1; us <= 100; ++us) report.latency.record(us * 1000);
  return report;
}

Report onThisMachine() {
  Report report = flawless();
  report.serverProcesses = 3;
  report.connectCpuSeconds = 0.02;
  report.serverCpuSeconds = 1;
  report.memoryBytesBefore = 4 << 20;
  report.memoryBytes = (4 << 20) + 2'500'000;
  return report;
}

Report flawed() {
  Report report = flawless();
  report.closed = 1;
  report.missing = 2;
  report.surplus = 3;
  report.disordered = 4;
  report.firstFault = "member 5 received message 2 of publisher 0 after message 0";
  return report;
}

TEST(Report, AnyFaultIsReported) {
  EXPECT_TRUE(Report().isFlawless());
  EXPECT_FALSE(flawed().isFlawless());
  for (std::uint64_t Report::*count :
       {&Report::closed, &Report::missing, &Report::surplus, &Report::disordered}) {
    Report report;
    report.*count = 1;
    EXPECT_FALSE(report.isFlawless());
  }
  Report report;
  report.firstFault = "something";
  EXPECT_FALSE(report.isFlawless());
}

TEST(ToText, TextOfAFaultlessTestReportsCompleteness) {
  EXPECT_EQ(toText(kPlan, flawless()),
            "connects    1000 members in 10 groups, 2,000 a second\n"
            "published   1,234 a second\n"  // half a message is rounded to even
            "delivered   1,234,567 a second, 64 bytes each\n"
            "latency     p50 50  p90 90  p99 99  p99.9 100  max 100 µs\n"
            "checked     all messages received, in order, no duplicates\n");
}

TEST(ToText, ReportsCpuAndMemoryOfALocalServer) {
  EXPECT_THAT(toText(kPlan, onThisMachine()),
              HasSubstr("server CPU  50.0 % of a processor, 0.405 µs a delivery; 20.0 µs a "
                        "connect\n"
                        "memory      6.4 MiB in 3 processes, 2500 bytes a connection\n"));
}

TEST(ToText, TextOfATestWithFaultsReportsOnlyTheFaults) {
  EXPECT_THAT(
      toText(kPlan, flawed()),
      AllOf(EndsWith("FAULTS      1 connections closed, 2 messages missing, 3 too many, 4 "
                     "out of order\n"
                     "            member 5 received message 2 of publisher 0 after message 0\n"),
            Not(HasSubstr("complete"))));
}

TEST(ToText, FaultWithoutTextHasNoEmptyLine) {
  Report report = flawless();
  report.missing = 1;
  EXPECT_THAT(toText(kPlan, report), EndsWith(" out of order\n"));
}

TEST(ToText, TextOfIdleConnectionsOmitsMessages) {
  Plan plan = kPlan;
  plan.publishers = 0;
  Report report = onThisMachine();
  report.published = report.delivered = 0;
  EXPECT_EQ(toText(plan, report),
            "connects    1000 members in 10 groups, 2,000 a second\n"
            "server CPU  50.0 % of a processor; 20.0 µs a connect\n"
            "memory      6.4 MiB in 3 processes, 2500 bytes a connection\n");
}

TEST(ToText, EmptyReportDoesNotDivideByZero) {
  EXPECT_THAT(toText(kPlan, Report()), AllOf(HasSubstr("groups, 0 a second"), HasSubstr("p50 0 "),
                                             Not(HasSubstr("nan")), Not(HasSubstr("inf"))));
}

TEST(ToJson, HasTheFiguresOfAFaultlessTest) {
  const nlohmann::ordered_json json = toJson(kPlan, flawless());
  EXPECT_EQ(json.at("members"), 1000);
  EXPECT_EQ(json.at("groups"), 10);
  EXPECT_EQ(json.at("publishers"), 20);
  EXPECT_EQ(json.at("message_bytes"), 64);
  EXPECT_EQ(json.at("connects_per_second"), 2000);
  EXPECT_EQ(json.at("seconds"), 2);
  EXPECT_EQ(json.at("published_per_second"), 1234.5);
  EXPECT_EQ(json.at("delivered_per_second"), 1234567);
  EXPECT_EQ(json.at("latency_us").at("max"), 100);
  EXPECT_NEAR(json.at("latency_us").at("p50").get<double>(), 50, 50 / 64.0);
  EXPECT_EQ(json.at("flawless"), true);
  EXPECT_FALSE(json.contains("first_fault"));
  EXPECT_FALSE(json.contains("server"));
}

TEST(ToJson, NamesOpenOrClosedLoop) {
  Plan plan = kPlan;
  EXPECT_EQ(toJson(plan, flawless()).at("in_flight"), 4);
  EXPECT_FALSE(toJson(plan, flawless()).contains("rate"));
  plan.rate = 250;
  EXPECT_EQ(toJson(plan, flawless()).at("rate"), 250);
  EXPECT_FALSE(toJson(plan, flawless()).contains("in_flight"));
}

TEST(ToJson, HasTheNumberOfFaults) {
  const nlohmann::ordered_json json = toJson(kPlan, flawed());
  EXPECT_EQ(json.at("closed"), 1);
  EXPECT_EQ(json.at("missing"), 2);
  EXPECT_EQ(json.at("surplus"), 3);
  EXPECT_EQ(json.at("disordered"), 4);
  EXPECT_EQ(json.at("flawless"), false);
  EXPECT_EQ(json.at("first_fault"), flawed().firstFault);
}

TEST(ToJson, ReportsCpuAndMemoryOfALocalServer) {
  const nlohmann::ordered_json json = toJson(kPlan, onThisMachine()).at("server");
  EXPECT_EQ(json.at("processes"), 3);
  EXPECT_EQ(json.at("cpu_us_per_connect"), 20);
  EXPECT_EQ(json.at("cpu_seconds"), 1);
  EXPECT_EQ(json.at("cpu_share"), 0.5);
  EXPECT_NEAR(json.at("cpu_us_per_delivery").get<double>(), 0.405, 0.0005);
  EXPECT_EQ(json.at("memory_bytes"), (4 << 20) + 2'500'000);
  EXPECT_EQ(json.at("memory_bytes_per_connection"), 2500);
}

TEST(ToJson, ShrunkMemoryGivesZeroPerConnection) {
  Report report = onThisMachine();
  report.memoryBytes = 1 << 20;
  EXPECT_EQ(toJson(kPlan, report).at("server").at("memory_bytes_per_connection"), 0);
}

TEST(ToJson, EmptyReportContainsNoNull) {
  // NaN would be written as null
  EXPECT_EQ(toJson(kPlan, Report()).dump().find("null"), std::string::npos);
}

}  // namespace
}  // namespace stormo::bench
