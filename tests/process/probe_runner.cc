#include "process/probe_runner.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include "sys/address.h"

namespace stormo::process {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPoll = std::chrono::milliseconds(5);
constexpr int kPatienceMs = static_cast<int>(std::chrono::milliseconds(kPatience).count());

bool becomesReadable(int fd) {
  pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&ready, 1, kPatienceMs) == 1;
}

/// Appends what is there; closes at the end.
void readInto(UniqueFd& fd, std::string& text) {
  char bytes[4096];
  const ssize_t size = ::read(fd.get(), bytes, sizeof bytes);
  if (size > 0) text.append(bytes, static_cast<std::size_t>(size));
  if (size == 0) fd.reset();
}

[[noreturn]] void execute(const Words& command, int out, int err) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // a test that is killed leaves no program behind
  ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

}  // namespace

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = Clock::now() + kPatience;
  while (!condition()) {
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

RunningProgram::RunningProgram(const Words& command) {
  int out[2];
  int err[2];
  if (::pipe2(out, O_CLOEXEC) < 0 || ::pipe2(err, O_CLOEXEC) < 0) throw std::runtime_error("pipe2");
  pid_ = ::fork();
  if (pid_ == 0) execute(command, out[1], err[1]);
  ::setpgid(pid_, pid_);
  stdout_.reset(out[0]);
  stderr_.reset(err[0]);
  ::close(out[1]);
  ::close(err[1]);
}

RunningProgram::~RunningProgram() {
  if (!stdout_.valid() && !stderr_.valid() && status_) return;
  if (!status_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

void RunningProgram::signal(int number) const { ::kill(pid_, number); }
void RunningProgram::signalGroup(int number) const { ::kill(-pid_, number); }

void RunningProgram::readSome(int timeoutMs) {
  pollfd ready[2] = {{.fd = stdout_.get(), .events = POLLIN, .revents = 0},
                     {.fd = stderr_.get(), .events = POLLIN, .revents = 0}};
  ::poll(ready, 2, timeoutMs);
  if (ready[0].revents != 0) readInto(stdout_, output_);
  if (ready[1].revents != 0) readInto(stderr_, errors_);
}

bool RunningProgram::waitForOutput(const std::string& text) {
  const auto deadline = Clock::now() + kPatience;
  while (output_.find(text) == std::string::npos) {
    if (!stdout_.valid() || Clock::now() > deadline) return false;
    readSome(100);
  }
  return true;
}

std::optional<int> RunningProgram::wait() {
  const auto deadline = Clock::now() + kPatience;
  while (!status_) {
    // Its children have its pipes too: the process's own end counts, not theirs.
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
      break;
    }
    if (Clock::now() > deadline) return std::nullopt;
    readSome(5);
  }
  for (UniqueFd* fd : {&stdout_, &stderr_}) {
    if (fd->valid()) ::fcntl(fd->get(), F_SETFL, O_NONBLOCK);
    std::string& text = fd == &stdout_ ? output_ : errors_;
    for (std::size_t before = 0; fd->valid();) {
      before = text.size();
      readInto(*fd, text);
      if (text.size() == before) break;
    }
  }
  return status_;
}

ProbeProgram::~ProbeProgram() {
  // A test that failed may have left a daemon behind.
  std::ifstream lock(path("probe/lock"));
  pid_t pid = 0;
  if (!(lock >> pid)) return;
  const Outcome stopped = run({"stop"});
  if (stopped.status != 0 && stopped.errors.find("not running") == std::string::npos)
    ::kill(pid, SIGKILL);
}

Words ProbeProgram::commandLine(Words arguments) const {
  Words command = {STORMO_BIN_DIR "/process_probe", "--runtime-dir", directory_.path()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

Outcome ProbeProgram::run(Words arguments) const {
  RunningProgram program = spawn(std::move(arguments));
  const auto status = program.wait();
  return {status.value_or(-1), program.output(), program.errors()};
}

RunningProgram ProbeProgram::spawn(Words arguments) const {
  return RunningProgram(commandLine(std::move(arguments)));
}

RunningProgram ProbeProgram::start(Words options) const {
  options.insert(options.begin(), "start");
  RunningProgram program = spawn(std::move(options));
  EXPECT_TRUE(program.waitForOutput("Start success.")) << program.output() << program.errors();
  return program;
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

bool ProbeProgram::workerBecomes(int slot,
                                 const std::function<bool(const nlohmann::json&)>& pleases) const {
  return eventually([&] { return pleases(worker(slot)); });
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

WatchedProcess::WatchedProcess(pid_t pid)
    : pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

bool WatchedProcess::ends() const { return !pidfd_.valid() || becomesReadable(pidfd_.get()); }

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

void ProbeClient::say(char letter) const { ::send(fd_.get(), &letter, 1, MSG_NOSIGNAL); }

std::string ProbeClient::hear() const {
  std::string line;
  while (!line.ends_with('\n')) {
    char letter = 0;
    if (!becomesReadable(fd_.get()) || ::recv(fd_.get(), &letter, 1, 0) <= 0) return "";
    line += letter;
  }
  return line;
}

ProbeClient::Answer ProbeClient::ask(char letter) const {
  say(letter);
  Answer answer;
  std::istringstream(hear()) >> answer.pid >> answer.slot >> answer.user;
  return answer;
}

void touch(const std::string& path) { std::ofstream(path).flush(); }

}  // namespace stormo::process
