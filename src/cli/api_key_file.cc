#include "cli/api_key_file.h"

#include <fmt/format.h>
#include <stormo/api.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>

#include "cli/private_file.h"
#include "sys/error_text.h"

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

std::string writeKey(const std::string& path) {
  std::string key = makeApiKey();
  replacePrivateFile(path, key + '\n');
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
