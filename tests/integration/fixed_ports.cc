#include "integration/fixed_ports.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>
#include <string>

#include "sys/address.h"
#include "sys/sockets.h"
#include "sys/unique_fd.h"

namespace stormo::integration {
namespace {

void write(const char* path, const std::string& text) {
  const UniqueFd fd(::open(path, O_WRONLY | O_CLOEXEC));
  // If it fails, who we are looks strange to `start`, which then fails the test.
  [[maybe_unused]] const ssize_t size = ::write(fd.get(), text.data(), text.size());
}

void bringLoopbackUp() {
  const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  ::ioctl(fd.get(), SIOCSIFFLAGS, &request);
}

}  // namespace

void enterPrivateNetwork() {
  const std::string user = std::to_string(::geteuid());
  const std::string group = std::to_string(::getegid());
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) return;
  write("/proc/self/setgroups", "deny");
  write("/proc/self/uid_map", user + ' ' + user + " 1");
  write("/proc/self/gid_map", group + ' ' + group + " 1");
  bringLoopbackUp();
}

bool portsAreFree(std::initializer_list<std::uint16_t> ports) {
  for (const std::uint16_t port : ports) {
    if (!listenOn(Address::ip("0.0.0.0", port).value())) return false;
  }
  return true;
}

}  // namespace stormo::integration
