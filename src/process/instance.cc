#include "process/instance.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "sys/address.h"
#include "sys/error_text.h"

namespace stormo::process {
namespace {

// Longer than a child runs after its master has ended.
constexpr auto kOrphansEndWithin = std::chrono::seconds(7);
constexpr auto kLockPoll = std::chrono::milliseconds(10);

// Open file description locks, because `status` can query them without taking the lock.
struct flock wholeFile() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

UniqueFd openLockFile(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (fd.valid()) return fd;
  throw std::runtime_error(fmt::format("cannot open {}: {}", path, errorText(errno)));
}

bool tryLock(int fd, const std::string& path) {
  struct flock lock = wholeFile();
  if (::fcntl(fd, F_OFD_SETLK, &lock) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  throw std::runtime_error(fmt::format("cannot lock {}: {}", path, errorText(errno)));
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// The home of this process's user, if it exists and the user owns it; else empty. Not $HOME, which
/// differs between a service, a cron job and a shell.
std::string ownHome() {
  const passwd* entry = ::getpwuid(::geteuid());
  if (entry == nullptr) return {};
  struct stat found {};
  const bool isOwn =
      ::stat(entry->pw_dir, &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == ::geteuid();
  return isOwn ? entry->pw_dir : "";
}

/// `mayBeRoots`: a directory that only root can write is accepted, too.
void createPrivateDirectory(const std::string& path, bool mayBeRoots) {
  const bool isRoot = ::geteuid() == 0;
  if (::mkdir(path.c_str(), isRoot ? 0711 : 0700) < 0 && errno != EEXIST) {
    throw std::runtime_error(
        fmt::format("cannot create the directory {}: {} (choose another with --runtime-dir)", path,
                    errorText(errno)));
  }
  // If it existed: in /tmp anybody can create it, or a link to another place.
  struct stat found {};
  const bool isThere = ::lstat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
  const bool isSafe = found.st_uid == ::geteuid() || (mayBeRoots && found.st_uid == 0);
  if (!isThere || !isSafe || (found.st_mode & 022) != 0) {
    throw std::runtime_error(fmt::format(
        "{} is not a directory that only this user can write (remove it, or choose another with "
        "--runtime-dir)",
        path));
  }
}

}  // namespace

std::string runtimeDirectory(const std::string& option) {
  if (!option.empty()) return std::filesystem::absolute(option).lexically_normal();
  if (auto given = environment("STORMO_RUNTIME_DIR"); !given.empty()) {
    return std::filesystem::absolute(given).lexically_normal();
  }
  return defaultRuntimeDirectory();
}

std::string defaultRuntimeDirectory() {
  if (::geteuid() == 0) return "/var/lib/stormo";
  if (auto home = ownHome(); !home.empty()) return home + "/.local/state/stormo";
  return fmt::format("/var/tmp/stormo-{}", ::geteuid());
}

bool isFileAt(const std::string& path, int fd) {
  struct stat named {};
  struct stat open {};
  return ::lstat(path.c_str(), &named) == 0 && ::fstat(fd, &open) == 0 &&
         named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

Instance::Instance(const std::string& runtimeDirectory, const std::string& name)
    : parent_(runtimeDirectory), name_(name), directory_(runtimeDirectory + '/' + name) {
  if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos) {
    throw std::runtime_error(
        fmt::format("invalid instance name '{}' (write a plain word: --instance chat)", name));
  }
  if (!Address::unixPath(controlPath())) {
    throw std::runtime_error(
        fmt::format("the path {} is longer than the 107 bytes of a unix socket (choose a shorter "
                    "--runtime-dir)",
                    controlPath()));
  }
}

std::string Instance::text() const { return fmt::format("instance '{}' in {}", name_, parent_); }

void Instance::createDirectory() const {
  std::error_code ignored;  // the next step reports it
  std::filesystem::create_directories(std::filesystem::path(parent_).parent_path(), ignored);
  // A service's directory below root's is made by the service manager.
  createPrivateDirectory(parent_, true);
  createPrivateDirectory(directory_, false);
}

std::optional<UniqueFd> Instance::lock() const {
  UniqueFd fd = openLockFile(lockPath());
  if (!tryLock(fd.get(), lockPath())) return std::nullopt;
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd.get(), 0) < 0 ||
      ::pwrite(fd.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    throw std::runtime_error(fmt::format("cannot write {}: {}", lockPath(), errorText(errno)));
  }
  return fd;
}

UniqueFd Instance::lockForChildren() const {
  UniqueFd fd = openLockFile(childrenPath());
  const auto deadline = std::chrono::steady_clock::now() + kOrphansEndWithin;
  while (!tryLock(fd.get(), childrenPath())) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error(fmt::format(
          "processes of an earlier start, whose master was killed, still run (see 'fuser {}')",
          childrenPath()));
    }
    std::this_thread::sleep_for(kLockPoll);  // fcntl() has no wait with a deadline
  }
  return fd;
}

std::optional<pid_t> Instance::runningPid() const {
  const UniqueFd fd(::open(lockPath().c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw std::runtime_error(fmt::format("cannot read {}: {}", lockPath(), errorText(errno)));
  }
  struct flock lock = wholeFile();
  if (::fcntl(fd.get(), F_OFD_GETLK, &lock) < 0) {
    throw std::runtime_error(
        fmt::format("cannot query the lock of {}: {}", lockPath(), errorText(errno)));
  }
  if (lock.l_type == F_UNLCK) return std::nullopt;
  char text[32] = "";
  if (::pread(fd.get(), text, sizeof text - 1, 0) <= 0) return 0;
  return static_cast<pid_t>(std::strtol(text, nullptr, 10));
}

}  // namespace stormo::process
