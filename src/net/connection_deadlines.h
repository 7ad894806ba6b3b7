#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "base/handle_table.h"
#include "net/deadline_wheel.h"

namespace stormo::net {

struct ConnectionImpl;
class Reactor;

/// At most one deadline for each connection of a reactor: a DeadlineWheel, and its timer in the
/// loop.
class ConnectionDeadlines {
 public:
  /// Calls `due` for each connection whose deadline has come; it may set another one. The deadline
  /// may be the wheel's horizon instead.
  ConnectionDeadlines(Reactor& reactor, TimePoint now, std::function<void(ConnectionImpl&)> due)
      : reactor_(reactor), wheel_(now), due_(std::move(due)) {}
  ConnectionDeadlines(const ConnectionDeadlines&) = delete;
  ConnectionDeadlines& operator=(const ConnectionDeadlines&) = delete;

  /// Replaces the deadline of the connection.
  void set(const ConnectionImpl& connection, TimePoint deadline);
  void clear(const ConnectionImpl& connection);
  [[nodiscard]] bool isSet(const ConnectionImpl& connection) const;

 private:
  void arm();
  void onTimer();

  Reactor& reactor_;
  DeadlineWheel wheel_;
  const std::function<void(ConnectionImpl&)> due_;
  Handle timer_;
  std::optional<TimePoint> armedFor_;
};

}  // namespace stormo::net
