#include "sys/processors.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

namespace stormo {
namespace {

std::string contentOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// `quotaAndPeriod`: "QUOTA PERIOD" in microseconds. A quota of "max" or -1 means none.
std::size_t limitedBy(const std::string& quotaAndPeriod, std::size_t processors) {
  std::istringstream text(quotaAndPeriod);
  long long quota = 0;
  long long period = 0;
  if (!(text >> quota >> period) || quota <= 0 || period <= 0) return processors;
  const auto whole = static_cast<std::size_t>(quota / period);
  return std::clamp<std::size_t>(whole, 1, processors);
}

/// Calls visit(folder) for a group's folder and all its parents, up to the mount.
template <typename Visit>
void forEachFolder(const std::string& mount, std::string group, Visit visit) {
  // In a container without a cgroup namespace this path is the host's and does not exist here; then
  // only the top folder has a quota.
  while (true) {
    visit(mount + group);
    const std::size_t slash = group.rfind('/');
    if (slash == std::string::npos) return;
    group.resize(slash);
  }
}

bool hasCpuController(const std::string& controllers) {
  std::istringstream names(controllers);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == "cpu") return true;
  }
  return false;
}

std::size_t processorsOfAffinity() {
  std::array<cpu_set_t, 16> set{};  // one set holds 1,024 processors
  if (::sched_getaffinity(0, sizeof set, set.data()) < 0) {
    return std::thread::hardware_concurrency();
  }
  return static_cast<std::size_t>(CPU_COUNT_S(sizeof set, set.data()));
}

}  // namespace

std::size_t processorsWithinQuota(std::size_t otherwise, const FileContent& read) {
  std::size_t processors = std::max<std::size_t>(1, otherwise);
  std::istringstream groups(read("/proc/self/cgroup"));
  // "ID:CONTROLLERS:PATH" (cgroups(7)). Version 2 has an empty list of controllers.
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    const std::string group = path == "/" ? "" : path;
    if (controllers.empty()) {
      forEachFolder("/sys/fs/cgroup", group, [&](const std::string& folder) {
        processors = limitedBy(read(folder + "/cpu.max"), processors);
      });
    } else if (hasCpuController(controllers)) {
      forEachFolder("/sys/fs/cgroup/cpu", group, [&](const std::string& folder) {
        processors = limitedBy(
            read(folder + "/cpu.cfs_quota_us") + ' ' + read(folder + "/cpu.cfs_period_us"),
            processors);
      });
    }
  }
  return processors;
}

std::size_t usableProcessors() { return processorsWithinQuota(processorsOfAffinity(), contentOf); }

}  // namespace stormo
