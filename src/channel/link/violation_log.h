#pragma once

#include <cstdint>
#include <string_view>

#include "net/connection_impl.h"
#include "sys/clock.h"

namespace stormo::channel {

/// Logs warnings about links that violate the protocol and are closed. Peers reconnect and repeat
/// it: above kLinesMax lines a minute, lines are dropped, and the next line has their number.
class ViolationLog {
 public:
  static constexpr unsigned kLinesMax = 10;

  void write(const net::ConnectionImpl& link, std::string_view dialect, std::string_view reason,
             TimePoint now);

 private:
  TimePoint minuteBegan_{};
  unsigned lines_ = 0;         // in this minute
  std::uint64_t dropped_ = 0;  // since the last line
};

}  // namespace stormo::channel
