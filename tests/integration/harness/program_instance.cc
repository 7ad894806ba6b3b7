#include "integration/harness/program_instance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "sys/address.h"

namespace stormo::integration {
namespace {

void expectNoSanitizerReport(const std::string& errors) {
  for (const char* mark : {"Sanitizer", "runtime error:", "assertion failed"}) {
    EXPECT_EQ(errors.find(mark), std::string::npos) << errors;
  }
}

}  // namespace

ProgramInstance::ProgramInstance(const Deadline& deadline, const std::string& program, Words first)
    : deadline_(deadline), program_(STORMO_BIN_DIR "/" + program), first_(std::move(first)) {}

ProgramInstance::~ProgramInstance() {
  if (deadline_.isOver()) {  // the test has failed, and there is no time for a clean stop
    for (const pid_t pid : seen_) ::kill(pid, SIGKILL);
    return;
  }
  try {
    if (foreground_ && !foreground_->statusIfEnded()) {
      status();  // records the processes that must end
      foreground_->signal(SIGTERM);
      foreground_->waitForEnd();
    }
    // For a daemon too. "not running" is accepted.
    run({"stop"});
    if (foreground_) expectNoSanitizerReport(foreground_->errors());
    expectNobodyLeft();
  } catch (const std::exception& problem) {
    ADD_FAILURE() << problem.what();
    for (const pid_t pid : seen_) ::kill(pid, SIGKILL);
  }
}

void ProgramInstance::expectNobodyLeft() {
  for (const pid_t pid : seen_) {
    EXPECT_FALSE(isRunning(pid)) << "left: process " << pid << " of " << program_;
    if (isRunning(pid)) ::kill(pid, SIGKILL);
  }
}

Words ProgramInstance::commandLine(const Words& words) const {
  Words line = {program_};
  line.insert(line.end(), first_.begin(), first_.end());
  line.insert(line.end(), words.begin(), words.end());
  line.insert(line.end(), {"--runtime-dir", folder_.path() + "/run"});
  return line;
}

void ProgramInstance::beginStart(const Words& options) {
  Words words = {"start"};
  words.insert(words.end(), options.begin(), options.end());
  foreground_ = begin(words);
}

void ProgramInstance::start(const Words& options) {
  beginStart(options);
  foreground_->waitForOutput("Start success.");
  status();
}

std::unique_ptr<SpawnedProgram> ProgramInstance::begin(const Words& words) {
  return std::make_unique<SpawnedProgram>(deadline_, commandLine(words));
}

Outcome ProgramInstance::run(const Words& words) {
  return SpawnedProgram(deadline_, commandLine(words)).waitForEnd();
}

std::string ProgramInstance::succeed(const Words& words) {
  const Outcome outcome = run(words);
  if (outcome.status == 0) return outcome.output;
  throw std::runtime_error("'" + words.at(0) + "' failed: " + outcome.output + outcome.errors);
}

Json ProgramInstance::status() {
  Json report = Json::parse(succeed({"status", "--json"}));
  for (const Json& row : report.at("processes")) {
    if (const auto pid = row.at("pid").get<pid_t>(); pid > 0) seen_.insert(pid);
  }
  return report;
}

Json ProgramInstance::connections() {
  return Json::parse(succeed({"connections", "--json"})).at("connections");
}

std::vector<pid_t> ProgramInstance::pids(const std::string& kind) {
  std::vector<pid_t> found;
  const Json report = status();
  for (const Json& row : report.at("processes")) {
    if (row.at("kind") == kind) found.push_back(row.at("pid").get<pid_t>());
  }
  return found;
}

std::uint64_t ProgramInstance::sum(const std::string& counter) {
  std::uint64_t sum = 0;
  const Json report = status();
  for (const Json& row : report.at("processes")) {
    if (row.at("kind") == "worker") sum += row.at(counter).get<std::uint64_t>();
  }
  return sum;
}

void ProgramInstance::waitForStatus(const std::string& what,
                                    const std::function<bool(const Json&)>& condition) {
  // A change of status is not reported, so it is queried; a query takes some milliseconds.
  for (Json last = status(); !condition(last); last = status()) {
    deadline_.check(what + ", but status is " + last.dump(1));
    std::this_thread::yield();
  }
}

void ProgramInstance::killAndAwaitSuccessor(pid_t pid) {
  Json killed;
  const Json report = status();
  for (const Json& row : report.at("processes")) {
    if (row.at("pid") == pid) killed = row;
  }
  if (killed.is_null()) throw std::runtime_error("no process of " + program_ + " has that pid");
  ::kill(pid, SIGKILL);
  waitForStatus("a successor of a killed process", [&](const Json& now) {
    return std::ranges::any_of(now.at("processes"), [&](const Json& row) {
      return row.at("name") == killed.at("name") && row.at("slot") == killed.at("slot") &&
             row.at("pid") != pid && row.at("status") == "idle";
    });
  });
}

std::uint16_t ProgramInstance::port() {
  const Json report = status();
  for (const Json& row : report.at("processes")) {
    if (row.at("kind") == "worker") return parseSocketUrl(row.at("listen").get<std::string>()).port;
  }
  throw std::runtime_error("the status has no worker");
}

bool isRunning(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text)) return false;
  const std::size_t nameEnd = text.rfind(')');  // the name may contain any character
  return nameEnd != std::string::npos && text.substr(nameEnd + 2, 1) != "Z";
}

}  // namespace stormo::integration
