#include "process/check_program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <stdexcept>
#include <vector>

#include "process/privileges.h"

namespace stormo::process {
namespace {

/// True if two sockets cannot be bound to both addresses.
bool overlap(const Address& one, const Address& other) {
  if (one.family() != other.family()) return false;
  if (one.isUnix()) return one.host() == other.host();
  const auto isAny = [](const Address& each) {
    return each.host() == "0.0.0.0" || each.host() == "::";
  };
  return one.port() != 0 && one.port() == other.port() &&
         (one.host() == other.host() || isAny(one) || isAny(other));
}

struct Owned {
  const Role& role;
  const Listening& listening;
};

void checkAgainst(const std::vector<Owned>& others, const Owned& more) {
  for (const Owned& other : others) {
    if (!overlap(other.listening.address, more.listening.address)) continue;
    throw std::runtime_error(fmt::format(
        "cannot listen on {}: {} '{}' of this program listens on {} (give each its own port)",
        more.listening.label, kindText(other.role.kind), other.role.name, other.listening.label));
  }
}

/// States what is wrong with the owners of a unix socket's file. Empty: nothing is.
std::string complaintOfOwners(const Listening& listening) {
  try {
    const bool isOther = !listening.owner.empty() && userId(listening.owner) != ::geteuid();
    if (!listening.group.empty()) static_cast<void>(groupId(listening.group));
    if (!isOther || ::geteuid() == 0) return {};
  } catch (const std::runtime_error& unknown) {
    return unknown.what();
  }
  return fmt::format("only root may give the socket to user '{}'", listening.owner);
}

}  // namespace

void checkProgram(const Program& program) {
  std::vector<Owned> all;
  for (const Role& role : program.roles) {
    if (role.count < 1) {
      throw std::runtime_error(fmt::format("{} '{}' needs a count of at least 1, not {}",
                                           kindText(role.kind), role.name, role.count));
    }
    identityOf(role);
    for (const Listening& listening : role.listen) {
      checkAgainst(all, {role, listening});
      if (const std::string wrong = complaintOfOwners(listening); !wrong.empty()) {
        throw std::runtime_error(fmt::format("cannot listen on {}: {}", listening.label, wrong));
      }
      all.push_back({role, listening});
    }
  }
}

}  // namespace stormo::process
