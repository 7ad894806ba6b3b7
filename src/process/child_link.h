#pragma once

#include <stormo/timer.h>

#include <string>
#include <string_view>

#include "process/child.h"
#include "process/json_pipe.h"

namespace stormo::process {

/// The child's end of the link to its master: calls the Child's callbacks for the master's orders,
/// and sends reports. When the master has ended, the child gets a stop order, and 5 s later the
/// process exits.
///
/// Orders:  {"order":"alive"}  {"order":"connections"|"nodes","request":N}
///          {"order":"accept","slot":N,"accept":true}
///          {"order":"stop","reason":"stop"|"reload","graceful":true,"timeout_ms":N,
///           "over_ms":N}
///          {"order":"log-file"}, with a descriptor of the new log file
///          {"order":"credentials"}, with a descriptor of Credentials::share()
/// Reports: {"report":"ready","missing":""}  {"report":"failed","why":"…"}  {"report":"alive"}
///          {"report":"accepting-ended"}
///          {"report":"connections"|"nodes","request":N,"rows":[…],"last":true}
class ChildLink {
 public:
  ChildLink(Child& child, UniqueFd fd);

  /// `missing`: what the child still waits for when its time is over. Empty: nothing.
  void reportReady(std::string_view missing = {});
  void reportFailure(std::string_view why);

 private:
  void onOrder(const Json& order);
  void onMasterExit();
  void stop(StopOrder order);
  void reportRows(const std::string& kind, std::uint64_t request);

  Child& child_;
  JsonPipe link_;
};

}  // namespace stormo::process
