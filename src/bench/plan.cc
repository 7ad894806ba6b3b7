#include "bench/plan.h"

#include <fmt/format.h>

#include <stdexcept>

#include "bench/stamp.h"
#include "sys/open_files.h"

namespace stormo::bench {
namespace {

// Open files of a process other than its connections.
constexpr std::size_t kOtherFiles = 100;

// Limit of the generator and of the clock's resolution.
constexpr double kRateMax = 1e6;

void demand(bool condition, const std::string& sentence) {
  if (!condition) throw std::invalid_argument(sentence);
}

}  // namespace

void settle(Plan& plan) {
  demand(plan.members > 0, "there must be at least one member");
  demand(plan.groups > 0 && plan.groups <= plan.members,
         "there must be at least one group, and no more groups than members");
  demand(plan.publishers <= plan.members,
         fmt::format("publishers are members: {} members cannot hold {} of them", plan.members,
                     plan.publishers));
  // The first member of each group publishes at least its probes.
  demand(plan.publishers <= kPublishersMax && plan.groups <= kPublishersMax,
         fmt::format("there can be at most {0} publishers, and {0} groups", kPublishersMax));
  demand(plan.messageBytes >= kStampBytes,
         fmt::format("a message must have at least {} bytes, for publisher, sequence and time",
                     kStampBytes));
  demand(plan.isOpenLoop() || plan.inFlight > 0, "at least one message must be in flight");
  demand(plan.rate <= kRateMax, "the rate can be at most a million messages a second");
  if (plan.isV1) plan.checkAll = true;
  const bool publishes = plan.publish.find("{message}") != std::string::npos;
  // Idle members are probed too, unless there is no publish text.
  demand(publishes || (plan.isIdle() && plan.publish.empty()),
         "the publish text must contain {message}");

  const std::size_t filesMax = openFilesMax();
  const std::size_t membersMax = filesMax > kOtherFiles ? filesMax - kOtherFiles : 1;
  const std::size_t needed = (plan.members - 1) / membersMax + 1;
  if (plan.processes == 0) plan.processes = needed;
  demand(plan.processes >= needed, fmt::format("{} members need {} processes of {} open files",
                                               plan.members, needed, filesMax));
  demand(
      plan.processes <= plan.members,
      fmt::format("{} members cannot be divided among {} processes", plan.members, plan.processes));
}

}  // namespace stormo::bench
