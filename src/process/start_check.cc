#include "process/start_check.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <stdexcept>

#include "process/check_program.h"
#include "sys/error_text.h"
#include "sys/unique_fd.h"

namespace stormo::process {
namespace {

[[noreturn]] void refuse(const Listening& where, const std::string& why) {
  throw std::runtime_error(fmt::format("cannot listen on {}: {}", where.label, why));
}

/// The second address of a host is left out if this machine lacks it.
bool isOptional(const Listening& where, int problem) {
  return where.isSecond && (problem == EADDRNOTAVAIL || problem == EAFNOSUPPORT);
}

void checkUnixPath(const Listening& where) {
  const std::filesystem::path path = where.address.host();
  const std::string directory = path.parent_path();
  struct stat found {};
  if (::stat(directory.c_str(), &found) < 0) {
    refuse(where, fmt::format("the directory {}: {} (create it)", directory, errorText(errno)));
  }
  if (!S_ISDIR(found.st_mode)) refuse(where, fmt::format("{} is not a directory", directory));
  if (::access(directory.c_str(), W_OK | X_OK) < 0) {
    refuse(where, fmt::format("the directory {}: {}", directory, errorText(errno)));
  }
  if (::lstat(path.c_str(), &found) == 0 && !S_ISSOCK(found.st_mode)) {
    refuse(where, fmt::format("{} exists and is not a socket (remove it)", path.string()));
  }
}

void checkAddress(const Listening& where) {
  const UniqueFd probe(::socket(where.address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe.valid()) {
    if (isOptional(where, errno)) return;
    refuse(where, errorText(errno));
  }
  const int on = 1;
  ::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Bound but not listening: nobody can connect to it.
  if (::bind(probe.get(), where.address.raw(), where.address.size()) == 0) return;
  if (errno == EADDRINUSE || isOptional(where, errno)) return;
  refuse(where, errorText(errno) + (errno == EACCES ? " (ports below 1024 need root)" : ""));
}

}  // namespace

void checkStart(const Program& program, const std::string& ownDirectory) {
  checkProgram(program);
  for (const Role& role : program.roles) {
    for (const Listening& where : role.listen) {
      if (!where.address.isUnix()) {
        checkAddress(where);
      } else if (!where.address.host().starts_with(ownDirectory + '/')) {
        checkUnixPath(where);
      }
    }
  }
}

}  // namespace stormo::process
