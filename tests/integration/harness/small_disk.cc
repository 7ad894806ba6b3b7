#include "integration/harness/small_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <utility>
#include <vector>

#include "sys/unique_fd.h"

namespace stormo::integration {

bool enterPrivateMounts() {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

SmallDisk::SmallDisk(std::string directory, std::size_t bytes) : directory_(std::move(directory)) {
  const std::string options = "mode=0700,size=" + std::to_string(bytes);
  if (::mount("none", directory_.c_str(), "tmpfs", 0, options.c_str()) != 0) {
    throw std::runtime_error("mount: " + std::to_string(errno));
  }
}

SmallDisk::~SmallDisk() { ::umount2(directory_.c_str(), MNT_DETACH); }

void SmallDisk::fill() const {
  const UniqueFd fd(
      ::open((directory_ + "/ballast").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const std::vector<char> bytes(1 << 20);
  std::size_t size = bytes.size();
  while (size > 0) {  // the last bytes, too
    if (::write(fd.get(), bytes.data(), size) < 0) size /= 2;
  }
}

void SmallDisk::free() const { ::unlink((directory_ + "/ballast").c_str()); }

}  // namespace stormo::integration
