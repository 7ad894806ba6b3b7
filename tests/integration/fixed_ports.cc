#include "integration/fixed_ports.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cstring>
#include <string>

#include "sys/address.h"
#include "sys/sockets.h"
#include "sys/unique_fd.h"

namespace stormo::integration {
namespace {

bool write(const char* path, const std::string& text) {
  const UniqueFd fd(::open(path, O_WRONLY | O_CLOEXEC));
  return ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool bringLoopbackUp() {
  const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return ::ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

bool enter() {
  const std::string user = std::to_string(::geteuid());
  const std::string group = std::to_string(::getegid());
  return ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && write("/proc/self/setgroups", "deny") &&
         write("/proc/self/uid_map", user + ' ' + user + " 1") &&
         write("/proc/self/gid_map", group + ' ' + group + " 1") && bringLoopbackUp();
}

}  // namespace

void enterPrivateNetwork() {
  // A process cannot leave a namespace that does not work, so a child tries it first.
  const pid_t child = ::fork();
  if (child == 0) ::_exit(enter() ? 0 : 1);
  int status = 0;
  if (::waitpid(child, &status, 0) == child && status == 0) enter();
}

bool portsAreFree(std::initializer_list<std::uint16_t> ports) {
  for (const std::uint16_t port : ports) {
    if (!listenOn(Address::ip("0.0.0.0", port).value())) return false;
  }
  return true;
}

}  // namespace stormo::integration
