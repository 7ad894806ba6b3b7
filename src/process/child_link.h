#pragma once

#include <stormo/timer.h>

#include <string_view>

#include "process/child.h"
#include "process/json_pipe.h"

namespace stormo::process {

/// The child's end: turns the master's orders into the Child's callbacks, and reports. When the
/// master is gone the child is told to stop, and ended if it does not.
///
/// Orders:  {"order":"alive"}  {"order":"connections","request":N}
///          {"order":"accept","slot":N,"accept":true}
///          {"order":"stop","reason":"stop"|"reload","graceful":true,"timeout_ms":N}
///          {"order":"log-file"}, with a descriptor of the file to which lines go from now on
/// Reports: {"report":"ready","missing":""}  {"report":"failed","why":"…"}  {"report":"alive"}
///          {"report":"accepting-ended"}
///          {"report":"connections","request":N,"rows":[…],"last":true}
class ChildLink {
 public:
  ChildLink(Child& child, UniqueFd fd);

  /// `missing`: what it has not got in time; empty if nothing.
  void reportReady(std::string_view missing = {});
  void reportFailure(std::string_view why);

 private:
  void onOrder(const Json& order);
  void onMasterGone();
  void stop(StopOrder order);
  void reportConnections(std::uint64_t request);

  Child& child_;
  JsonPipe link_;
};

}  // namespace stormo::process
