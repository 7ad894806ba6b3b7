#include "sys/open_files.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "sys/unique_fd.h"

namespace stormo {
namespace {

/// The number alone does not identify the file.
struct Inherited {
  int fd;
  dev_t device;
  ino_t inode;
};

constinit std::vector<Inherited> inherited;

/// Runs before all constructors of the program, so everything open then came through exec().
[[gnu::constructor(101)]] void findInherited() {
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return;
  while (const dirent* entry = ::readdir(folder)) {
    const int fd = std::atoi(entry->d_name);  // "." and ".." are 0
    struct stat found {};
    if (fd <= STDERR_FILENO || fd == ::dirfd(folder) || ::fstat(fd, &found) < 0) continue;
    inherited.push_back({.fd = fd, .device = found.st_dev, .inode = found.st_ino});
  }
  ::closedir(folder);
}

}  // namespace

std::size_t openFilesMax() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(limit.rlim_max);
}

void raiseOpenFilesLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

bool isLowDescriptor(int fd, std::size_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<rlim_t>(fd) + count < limit.rlim_cur;
}

bool hasFreeDescriptors(int open, std::size_t count) {
  const UniqueFd next(::dup(open));
  return next.valid() && isLowDescriptor(next.get(), count);
}

void closeInheritedDescriptors() {
  for (const Inherited& each : inherited) {
    struct stat now {};
    const bool isSame =
        ::fstat(each.fd, &now) == 0 && now.st_dev == each.device && now.st_ino == each.inode;
    if (isSame) ::close(each.fd);
  }
  inherited.clear();
}

}  // namespace stormo
