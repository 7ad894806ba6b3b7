#include "cli/api_key_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stormo/api.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "sys/error_text.h"
#include "sys/unique_fd.h"

namespace stormo::cli {
namespace {

constexpr std::size_t kKeyBytesMin = 32;

std::string keyIn(std::istream& file, const std::string& path) {
  std::string key;
  std::getline(file, key);
  key.erase(key.find_last_not_of(" \t\r") + 1);
  if (key.size() >= kKeyBytesMin) return key;
  throw std::runtime_error(fmt::format(
      "{} has no key of at least {} bytes (delete the file, and the next start makes another one)",
      path, kKeyBytesMin));
}

/// Under another name first, so that nobody reads half a key.
std::string writeKey(const std::string& path) {
  const std::string next = path + ".next";
  std::string key = makeApiKey();
  const std::string line = key + '\n';
  ::unlink(next.c_str());
  const UniqueFd file(
      ::open(next.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  const bool isWritten =
      file.valid() &&
      ::write(file.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
      ::rename(next.c_str(), path.c_str()) == 0;
  if (!isWritten) {
    throw std::runtime_error(fmt::format("cannot write {}: {}", path, errorText(errno)));
  }
  return key;
}

}  // namespace

std::string machineApiKey(const std::string& instanceDirectory) {
  const std::string path = instanceDirectory + "/api.key";
  errno = 0;
  std::ifstream file(path);
  file.peek();
  if (errno == ENOENT) return writeKey(path);
  if (errno != 0) {
    throw std::runtime_error(fmt::format("cannot read {}: {}", path, errorText(errno)));
  }
  return keyIn(file, path);
}

}  // namespace stormo::cli
