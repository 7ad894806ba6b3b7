#include "process/check_program.h"

#include <fmt/format.h>

#include <stdexcept>
#include <vector>

#include "process/privileges.h"

namespace stormo::process {
namespace {

/// No two sockets can be bound to both.
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
  const Kind& kind;
  const Listening& listening;
};

void checkAgainst(const std::vector<Owned>& others, const Owned& more) {
  for (const Owned& other : others) {
    if (!overlap(other.listening.address, more.listening.address)) continue;
    throw std::runtime_error(fmt::format(
        "cannot listen on {}: {} '{}' of this program listens on {} (give each its own port)",
        more.listening.label, other.kind.kind, other.kind.name, other.listening.label));
  }
}

}  // namespace

void checkProgram(const Program& program) {
  std::vector<Owned> all;
  for (const Kind& kind : program.kinds) {
    if (kind.count < 1) {
      throw std::runtime_error(fmt::format("{} '{}' needs a count of at least 1, not {}", kind.kind,
                                           kind.name, kind.count));
    }
    identityOf(kind);
    for (const Listening& listening : kind.listen) {
      checkAgainst(all, {kind, listening});
      all.push_back({kind, listening});
    }
  }
}

}  // namespace stormo::process
