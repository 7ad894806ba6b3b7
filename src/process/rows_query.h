#pragma once

#include <stormo/timer.h>

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "process/control_server.h"
#include "process/json_fwd.h"

namespace stormo::process {

class Slot;

/// A command that lists rows of children, of one kind: "connections" or "nodes". Sends a request to
/// children at once and collects their rows. A child that does not answer within 2 s is listed as
/// busy. A request during a round gets the answer of that round.
class RowsQuery {
 public:
  explicit RowsQuery(const char* kind);
  ~RowsQuery();
  RowsQuery(const RowsQuery&) = delete;
  RowsQuery& operator=(const RowsQuery&) = delete;

  /// Answers {KIND:[…],"busy":[…]}.
  void ask(const std::vector<Slot*>& slots, ControlServer::Reply reply);
  /// Reports of other kinds have no effect.
  void onReport(Slot& slot, const Json& report);
  /// The slot's child has ended, and will not answer.
  void onEnded(Slot& slot);

 private:
  static constexpr auto kAnswerWithin = std::chrono::seconds(2);

  void finish();

  const char* const kind_;
  std::uint64_t round_ = 0;
  std::set<Slot*> waitingFor_;
  std::vector<ControlServer::Reply> replies_;  // empty: no round is in progress
  std::unique_ptr<Json> answer_;
  Timer::Id deadline_ = 0;
};

}  // namespace stormo::process
