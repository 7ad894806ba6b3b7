#include "process/start_record.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "process/json_fwd.h"
#include "sys/error_text.h"
#include "sys/unique_fd.h"

namespace stormo::process {

void StartRecord::save(const std::string& path) const {
  const std::string text = Json{{"options", options}, {"directory", directory}}.dump(
                               2, ' ', false, Json::error_handler_t::replace) +
                           '\n';
  const std::string unfinished = path + ".new";
  const UniqueFd fd(
      ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid() ||
      ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(fd.get()) < 0 || ::rename(unfinished.c_str(), path.c_str()) < 0) {
    throw std::runtime_error(fmt::format("cannot write {}: {}", path, errorText(errno)));
  }
}

std::optional<StartRecord> StartRecord::load(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw std::runtime_error(fmt::format("cannot read {}: {}", path, errorText(errno)));
  }
  try {
    const Json read = Json::parse(file);
    return StartRecord{.options = read.at("options"), .directory = read.at("directory")};
  } catch (const Json::exception&) {
    throw std::runtime_error(fmt::format(
        "cannot read the options of the last start from {} (remove it, and use start)", path));
  }
}

std::string shellWord(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(word);
  }
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + '\'';
}

}  // namespace stormo::process
