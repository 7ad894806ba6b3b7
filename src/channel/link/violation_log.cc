#include "channel/link/violation_log.h"

#include <chrono>
#include <utility>

#include "sys/log.h"

namespace stormo::channel {

void ViolationLog::write(const net::ConnectionImpl& link, std::string_view dialect,
                         std::string_view reason, TimePoint now) {
  if (!link.isUsable()) return;  // already being closed for a logged reason
  if (now - minuteBegan_ >= std::chrono::minutes(1)) {
    minuteBegan_ = now;
    lines_ = 0;
  }
  if (lines_ >= kLinesMax) {
    ++dropped_;
    return;
  }
  ++lines_;
  log::warning(
      "a peer violated the Channel protocol, its link is closed remote={} dialect={} reason=\"{}\" "
      "lines_dropped={}",
      link.remoteAddress(), dialect, reason, std::exchange(dropped_, 0));
}

}  // namespace stormo::channel
