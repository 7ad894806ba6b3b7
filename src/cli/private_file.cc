#include "cli/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <stdexcept>

#include "sys/error_text.h"
#include "sys/unique_fd.h"

namespace stormo::cli {

void replacePrivateFile(const std::string& path, std::string_view content) {
  const std::string next = path + ".next";
  ::unlink(next.c_str());
  const UniqueFd file(
      ::open(next.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  const bool isWritten =
      file.valid() &&
      ::write(file.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
      ::rename(next.c_str(), path.c_str()) == 0;
  if (!isWritten) {
    throw std::runtime_error(fmt::format("cannot write {}: {}", path, errorText(errno)));
  }
}

}  // namespace stormo::cli
