#include "bench/server_usage.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

namespace stormo::bench {
namespace {

namespace fs = std::filesystem;

struct Stat {
  std::string name;                 // of the command
  std::vector<std::string> fields;  // after it, from field 3
};

// Of /proc/PID/stat (proc(5)). Empty if there is no such process.
Stat statOf(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text);
  const std::size_t begin = text.find('(');
  const std::size_t end = text.rfind(')');
  if (end == text.npos) return {};
  std::istringstream words(text.substr(end + 1));
  return {.name = text.substr(begin + 1, end - begin - 1),
          .fields = {std::istream_iterator<std::string>(words), {}}};
}

constexpr std::size_t kParentField = 1;
constexpr std::size_t kUserTimeField = 11;
constexpr std::size_t kSystemTimeField = 12;

std::map<pid_t, pid_t> parents() {
  std::map<pid_t, pid_t> parents;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc()) continue;
    const auto fields = statOf(pid).fields;
    if (fields.size() > kParentField) parents[pid] = std::stoi(fields[kParentField]);
  }
  return parents;
}

std::vector<pid_t> withDescendants(std::set<pid_t> family, const std::map<pid_t, pid_t>& parents) {
  for (bool grown = true; grown;) {
    grown = false;
    for (const auto& [pid, parent] : parents) {
      if (family.contains(parent)) grown |= family.insert(pid).second;
    }
  }
  return {family.begin(), family.end()};
}

// "socket:[INODE]" of all TCP sockets that listen on this port.
std::set<std::string> listeningSockets(std::uint16_t port) {
  std::set<std::string> sockets;
  const std::string portText = fmt::format(":{:04X}", port);
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(table);
    std::string line;
    while (std::getline(file, line)) {
      std::istringstream words(line);
      const std::vector<std::string> fields{std::istream_iterator<std::string>(words), {}};
      if (fields.size() < 10 || fields[3] != "0A") continue;  // TCP_LISTEN
      if (fields[1].ends_with(portText)) sockets.insert("socket:[" + fields[9] + "]");
    }
  }
  return sockets;
}

bool holdsOneOf(const std::set<std::string>& sockets, pid_t pid) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/fd", pid), failed)) {
    const fs::path target = fs::read_symlink(entry.path(), failed);
    if (!failed && sockets.contains(target.string())) return true;
  }
  return false;
}

}  // namespace

ServerUsage ServerUsage::listeningOn(const Address& address) {
  if (address.isUnix() || !address.isLocal()) return ServerUsage({});
  const std::set<std::string> sockets = listeningSockets(address.port());
  const std::map<pid_t, pid_t> all = parents();
  std::set<pid_t> holders;
  for (const auto& [pid, parent] : all) {
    if (holdsOneOf(sockets, pid)) holders.insert(pid);
  }
  return ServerUsage(withDescendants(std::move(holders), all));
}

ServerUsage ServerUsage::of(pid_t pid) { return ServerUsage(withDescendants({pid}, parents())); }

std::vector<ServerUsage::Process> ServerUsage::processes() const {
  std::vector<Process> processes;
  for (const pid_t pid : pids_) {
    const auto [name, fields] = statOf(pid);
    std::int64_t ticks = 0;
    if (fields.size() > kSystemTimeField) {
      ticks = std::stoll(fields[kUserTimeField]) + std::stoll(fields[kSystemTimeField]);
    }
    processes.push_back(
        {.pid = pid,
         .name = name,
         .cpuTime = std::chrono::milliseconds(ticks * 1000 / ::sysconf(_SC_CLK_TCK))});
  }
  return processes;
}

std::chrono::milliseconds ServerUsage::cpuTime() const {
  std::chrono::milliseconds sum{0};
  for (const Process& process : processes()) sum += process.cpuTime;
  return sum;
}

std::uint64_t ServerUsage::memoryBytes() const {
  std::uint64_t kibibytes = 0;
  for (const pid_t pid : pids_) {
    std::ifstream file(fmt::format("/proc/{}/smaps_rollup", pid));
    std::string line;
    while (std::getline(file, line)) {
      if (line.starts_with("Pss:")) kibibytes += std::stoull(line.substr(4));
    }
  }
  return kibibytes * 1024;
}

}  // namespace stormo::bench
