#include "cli/secrets.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "protocol/channel/packet.h"
#include "sys/error_text.h"

namespace stormo::cli {
namespace {

Secrets secretsIn(std::istream& text, const std::string& source) {
  const auto nextLine = [&] {
    std::string line;
    std::getline(text, line);
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (line.size() <= channel::kSecretBytesMax) return line;
    throw std::runtime_error(fmt::format("the secret in {} is too long (a line may have {} bytes)",
                                         source, channel::kSecretBytesMax));
  };
  Secrets secrets;
  secrets.current = nextLine();
  secrets.other = nextLine();
  if (!secrets.current.empty()) return secrets;
  throw std::runtime_error(fmt::format("no secret in {} (its first line is the secret)", source));
}

}  // namespace

Secrets readSecrets(const std::string& file, const char* variable) {
  if (file.empty()) {
    const char* const given = std::getenv(variable);
    if (given == nullptr) return {};
    std::istringstream text(given);
    return secretsIn(text, std::string("$") + variable);
  }
  errno = 0;
  std::ifstream text(file);
  text.peek();
  if (errno != 0) {
    throw std::runtime_error("cannot read the secret file " + file + ": " + errorText(errno));
  }
  return secretsIn(text, file);
}

}  // namespace stormo::cli
