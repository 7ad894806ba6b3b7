#include "process/probe_runner.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "sys/address.h"

namespace stormo::process {
namespace {

bool becomesReadable(int fd) {
  pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&ready, 1, Deadline().pollMilliseconds()) == 1;
}

}  // namespace

ProbeProgram::~ProbeProgram() {
  // A failed test may have left a daemon.
  std::ifstream lock(path("probe/lock"));
  pid_t pid = 0;
  if (!(lock >> pid)) return;
  try {
    const Deadline anew;  // the test's own may have passed
    const Outcome stopped = SpawnedProgram(anew, commandLine({"stop"})).waitForOwnEnd();
    if (stopped.status == 0 || stopped.errors.find("not running") != std::string::npos) return;
  } catch (const std::exception& problem) {
    ADD_FAILURE() << problem.what();
  }
  ::kill(pid, SIGKILL);
}

Words ProbeProgram::commandLine(Words arguments) const {
  Words command = {program, "--runtime-dir", directory_.path()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

Outcome ProbeProgram::run(Words arguments) const {
  return spawn(std::move(arguments))->waitForOwnEnd();
}

std::unique_ptr<SpawnedProgram> ProbeProgram::spawn(Words arguments) const {
  return std::make_unique<SpawnedProgram>(deadline_, commandLine(std::move(arguments)));
}

std::unique_ptr<SpawnedProgram> ProbeProgram::start(Words options) const {
  options.insert(options.begin(), "start");
  auto started = spawn(std::move(options));
  started->waitForOutput("Start success.");
  return started;
}

nlohmann::json ProbeProgram::status() const {
  const Outcome outcome = run({"status", "--json"});
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  return nlohmann::json::parse(outcome.output, nullptr, false);
}

std::vector<nlohmann::json> ProbeProgram::workers() const {
  std::vector<nlohmann::json> workers;
  const nlohmann::json all = status();
  for (const auto& row : all.at("processes")) {
    if (row.at("kind") == "worker") workers.push_back(row);
  }
  return workers;
}

bool ProbeProgram::workerBecomes(
    int slot, const std::function<bool(const nlohmann::json&)>& condition) const {
  return eventually(deadline_, [&] { return condition(worker(slot)); });
}

bool ProbeProgram::aWorkerIsStopping() const {
  return eventually(deadline_, [&] {
    return std::ranges::any_of(
        workers(), [](const nlohmann::json& row) { return row.at("status") == "stopping"; });
  });
}

std::vector<pid_t> ProbeProgram::pids() const {
  std::vector<pid_t> pids;
  const nlohmann::json all = status();
  for (const auto& row : all.at("processes")) pids.push_back(row.at("pid"));
  return pids;
}

std::uint16_t ProbeProgram::port() const {
  const std::string listen = worker(0).at("listen");
  return static_cast<std::uint16_t>(std::stoi(listen.substr(listen.rfind(':') + 1)));
}

std::string ProbeProgram::log() const {
  std::ifstream file(path("probe/log"));
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

ProbeClient ProbeClient::connect(std::uint16_t port) {
  const Address address = Address::ip("127.0.0.1", port).value();
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), address.raw(), address.size()) < 0) fd.reset();
  return ProbeClient(std::move(fd));
}

ProbeClient ProbeClient::connectUnix(const std::string& path) {
  const Address address = Address::unixPath(path).value();
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), address.raw(), address.size()) < 0) fd.reset();
  return ProbeClient(std::move(fd));
}

void ProbeClient::send(char letter) const { ::send(fd_.get(), &letter, 1, MSG_NOSIGNAL); }

std::string ProbeClient::receive() const {
  std::string line;
  while (!line.ends_with('\n')) {
    char letter = 0;
    if (!becomesReadable(fd_.get()) || ::recv(fd_.get(), &letter, 1, 0) <= 0) return "";
    line += letter;
  }
  return line;
}

ProbeClient::Answer ProbeClient::ask(char letter) const {
  send(letter);
  Answer answer;
  std::istringstream(receive()) >> answer.pid >> answer.slot >> answer.user;
  return answer;
}

void touch(const std::string& path) { std::ofstream(path).flush(); }

}  // namespace stormo::process
