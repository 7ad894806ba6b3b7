// Any body of the HTTP API is read as each command and as a batch, or refused with a reason; any
// path has a route, or a reason.
#include <stormo/json.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "base/assert.h"
#include "server/api/command.h"
#include "server/api/route.h"

namespace {

using namespace stormo;
using namespace stormo::server::api;
using Kind = Command::Kind;

void check(const Problem& problem) {
  STORMO_ASSERT(problem.status >= 400 && problem.status < 500);
  STORMO_ASSERT(!problem.message.empty());
  STORMO_ASSERT(parseJson(toJson(problem.value())).has_value());
}

void check(const Command& command) {
  const bool hasTarget = command.kind == Kind::Revoke || !command.pattern.empty();
  STORMO_ASSERT(hasTarget || !command.to.empty());
  for (const Audience& each : command.except) STORMO_ASSERT(each.kind() != Audience::Kind::Group);
  if (command.kind == Kind::Join) STORMO_ASSERT(!isReservedName(command.group));
  STORMO_ASSERT(command.reason.size() <= 123 && command.info.size() <= 4096);
  STORMO_ASSERT(command.bytes() > 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const Kind kind :
       {Kind::Publish, Kind::Join, Kind::Leave, Kind::Disconnect, Kind::Info, Kind::Revoke}) {
    std::visit([](const auto& read) { check(read); }, readCommand(kind, text, 1'800'000'000));
  }
  const CommandsOrProblem batch = readBatch(text, 1'800'000'000);
  if (const auto* problem = std::get_if<Problem>(&batch)) {
    check(*problem);
  } else {
    for (const Command& each : std::get<std::vector<Command>>(batch)) check(each);
  }
  const auto route = routeOf(text);
  if (const auto* problem = std::get_if<Problem>(&route)) check(*problem);
  return 0;
}
