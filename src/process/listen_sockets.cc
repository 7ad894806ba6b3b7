#include "process/listen_sockets.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

#include "process/privileges.h"
#include "sys/error_text.h"
#include "sys/sockets.h"

namespace stormo::process {
namespace {

bool isDualStack(const Listening& where) { return where.address.host() == "::" && !where.v6Only; }

/// True if only IPv4's half of the port is in use.
bool takesV4Alone(const Listening& where) { return listenOn(where.address, {.v6Only = true}).ok(); }

/// True if this machine lacks the address, or its protocol.
bool isMissing(const Address& address) {
  const auto socket = listenOn(*Address::ip(address.host(), 0));
  return !socket && (socket.error().code == std::errc::address_not_available ||
                     socket.error().code == std::errc::address_family_not_supported);
}

[[noreturn]] void refuse(const Listening& where, const std::error_code& code,
                         const std::string& remedy) {
  throw std::runtime_error(fmt::format("cannot listen on {}: {}{}", where.label,
                                       errorText(code.value()),
                                       remedy.empty() ? "" : fmt::format(" ({})", remedy)));
}

std::string remedyFor(const Listening& where, const std::error_code& code,
                      const Instance& instance) {
  if (code == std::errc::permission_denied && !where.address.isUnix()) {
    return "ports below 1024 need root";
  }
  if (code != std::errc::address_in_use) return "";
  if (where.address.isUnix()) return obstacleAt(where.address);
  if (isDualStack(where) && takesV4Alone(where)) {
    return "a process listens on that port of IPv4, which this address includes: see ipv6only";
  }
  return fmt::format("by a process that does not belong to {}: 'ss -ltnp' shows it",
                     instance.text());
}

UniqueFd open(const Listening& where, const Instance& instance, bool reusePort) {
  auto socket = listenOn(where.address, {.reusePort = reusePort, .v6Only = where.v6Only});
  if (socket) return std::move(*socket);
  const std::error_code code = socket.error().code;
  refuse(where, code, remedyFor(where, code, instance));
}

void nameThePort(Listening& listening) {
  if (!listening.label.ends_with(":0")) return;
  listening.label.pop_back();
  listening.label += std::to_string(listening.address.port());
}

void resolvePort(Listening& listening, int fd) {
  if (listening.address.isUnix() || listening.address.port() != 0) return;
  listening.address = localAddress(fd);
  nameThePort(listening);
}

void usePortOf(const Listening& first, Listening& second) {
  second.address = *Address::ip(second.address.host(), first.address.port());
  nameThePort(second);
}

void giveTo(const Listening& listening) {
  const std::string path = listening.address.host();
  if (listening.mode != 0 && ::chmod(path.c_str(), listening.mode) < 0) {
    throw std::runtime_error(
        fmt::format("cannot set the permissions of {}: {}", path, errorText(errno)));
  }
  if (!listening.owner.empty() && ::chown(path.c_str(), userId(listening.owner), gid_t(-1)) < 0) {
    throw std::runtime_error(
        fmt::format("cannot give {} to user '{}': {}", path, listening.owner, errorText(errno)));
  }
  if (!listening.group.empty() && ::chown(path.c_str(), uid_t(-1), groupId(listening.group)) < 0) {
    throw std::runtime_error(
        fmt::format("cannot give {} to group '{}': {}", path, listening.group, errorText(errno)));
  }
}

/// Without its file only children can connect, through the descriptor that they inherit; they may
/// be of any user.
void keepToChildren(const Listening& listening) {
  ::unlink(listening.address.host().c_str());
  if (const auto open = openHeldSocket(listening.address); !open) {
    throw std::runtime_error(
        fmt::format("cannot open {} to the workers: {}", listening.label, open.error().message()));
  }
}

}  // namespace

ListenSockets::ListenSockets(Role& role, const Instance& instance, PassedSockets* passed)
    : sockets_(static_cast<std::size_t>(role.count)) {
  std::erase_if(role.listen,
                [](const Listening& each) { return each.isSecond && isMissing(each.address); });
  const Listening* previous = nullptr;
  for (Listening& listening : role.listen) {
    if (listening.isSecond) usePortOf(*previous, listening);
    previous = &listening;
    const bool isUnix = listening.address.isUnix();
    auto given = passed == nullptr ? std::nullopt : passed->take(listening);
    arePassed_.push_back(given.has_value());
    areShared_.push_back(given.has_value() || isUnix);
    if (given) {
      share(std::move(*given));
      continue;
    }
    // First without SO_REUSEPORT, which would silently share the port with another program of this
    // user.
    UniqueFd first = open(listening, instance, false);
    resolvePort(listening, first.get());
    if (isUnix) {
      unixPaths_.push_back(listening.address.host());
      giveTo(listening);
      if (auto held = holdSocket(listening.address); !held) {
        refuse(listening, held.error().code, "");
      }
      if (listening.isPrivate) keepToChildren(listening);
    } else if (role.count > 1) {
      first.reset();
      first = open(listening, instance, true);
    }
    if (isUnix) {
      share(std::move(first));
      continue;
    }
    sockets_[0].push_back(std::move(first));
    for (std::size_t slot = 1; slot < sockets_.size(); ++slot) {
      sockets_[slot].push_back(open(listening, instance, true));
    }
  }
}

void ListenSockets::share(UniqueFd socket) {
  for (std::size_t slot = 1; slot < sockets_.size(); ++slot) {
    sockets_[slot].emplace_back(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
  }
  sockets_[0].push_back(std::move(socket));
}

ListenSockets::~ListenSockets() {
  for (const std::string& path : unixPaths_) ::unlink(path.c_str());
}

Child::ListenersOfSlots ListenSockets::fds() const {
  Child::ListenersOfSlots fds;
  for (const auto& slot : sockets_) {
    auto& row = fds.emplace_back();
    for (const UniqueFd& socket : slot) row.push_back(socket.get());
  }
  return fds;
}

void ListenSockets::refuseClientsOf(std::size_t slot) {
  for (std::size_t i = 0; i < sockets_[slot].size(); ++i) {
    if (!areShared_[i]) ::shutdown(sockets_[slot][i].get(), SHUT_RDWR);
  }
}

void ListenSockets::refuseClients() {
  for (const auto& slot : sockets_) {
    for (std::size_t i = 0; i < slot.size(); ++i) {
      if (!arePassed_[i]) ::shutdown(slot[i].get(), SHUT_RDWR);
    }
  }
}

void ListenSockets::abandon() {
  sockets_.clear();
  unixPaths_.clear();
}

}  // namespace stormo::process
