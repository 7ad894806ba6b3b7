#include "hostile_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "sys/sockets.h"

namespace stormo::bench {
namespace {

constexpr std::chrono::milliseconds kPollInterval{20};
constexpr int kPollsMax = 500;  // 10 s

Address freePort() {
  auto fd = listenOn(*Address::ip("127.0.0.1", 0));
  if (!fd) throw std::runtime_error(fd.error().message());
  return localAddress(fd->get());
}

bool accepts(const Address& address) {
  auto socket = connectTo(address);
  if (!socket) return false;
  pollfd poll{.fd = socket->get(), .events = POLLOUT, .revents = 0};
  return ::poll(&poll, 1, 1000) == 1 && connectOutcome(socket->get());
}

std::string contentOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

HostileServer::HostileServer(const std::string& program, const std::vector<std::string>& arguments)
    : address_(freePort()) {
  std::string name = (std::filesystem::temp_directory_path() / "stormo-hostile-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot create a directory");
  directory_ = name;
  std::vector<std::string> words = {
      program,         "start",   "--workers", "2", "--listen", "websocket://" + address_.text(),
      "--runtime-dir", directory_};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const std::string log = directory_ + "/output";

  master_ = ::fork();
  if (master_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int fd = ::open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    ::dup2(fd, 1);
    ::dup2(fd, 2);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  for (int polls = 0; polls < kPollsMax && !hasEnded(); ++polls) {
    if (accepts(address_)) return;
    std::this_thread::sleep_for(kPollInterval);
  }
  const std::string output = contentOf(log);
  stop();
  throw std::runtime_error(fmt::format("the server does not start: {}\n{}", program, output));
}

HostileServer::~HostileServer() { stop(); }

bool HostileServer::hasEnded() const {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(master_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid != 0;
}

void HostileServer::stop() {
  const std::vector<pid_t> workers = children();
  ::kill(master_, SIGTERM);
  for (int polls = 0; polls < kPollsMax && !hasEnded(); ++polls)
    std::this_thread::sleep_for(kPollInterval);
  if (!hasEnded()) {
    ::kill(master_, SIGKILL);
    for (const pid_t worker : workers) ::kill(worker, SIGKILL);
  }
  ::waitpid(master_, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::vector<pid_t> HostileServer::children() const {
  std::ifstream file(fmt::format("/proc/{}/task/{}/children", master_, master_));
  return {std::istream_iterator<pid_t>(file), {}};
}

HostileServer::Memory HostileServer::memory() const {
  Memory memory;
  for (const pid_t pid : children()) {
    std::ifstream file(fmt::format("/proc/{}/statm", pid));
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    file >> total >> resident;
    const auto bytes = resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const bool isWorker = contentOf(fmt::format("/proc/{}/comm", pid)).starts_with("worker");
    (isWorker ? memory.workers : memory.channel) += bytes;
  }
  return memory;
}

}  // namespace stormo::bench
