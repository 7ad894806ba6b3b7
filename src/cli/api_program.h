#pragma once

#include <stormo/api.h>
#include <stormo/channel.h>
#include <stormo/tls.h>
#include <stormo/worker.h>

#include <string>

#include "config/settings.h"

namespace stormo::cli {

/// The role of the server's HTTP API: a Worker with a Channel of its own, and the ApiServer on it.
class ApiProgram {
 public:
  /// Declares it. `settings.apiListen` is not empty. `tls` is for addresses with https://.
  /// `instanceDirectory` has, or gets, the machine's own key; empty: it is not used. Throws
  /// std::exception, with a text for the user.
  ApiProgram(const config::Settings& settings, const ChannelOptions& channelOptions, const Tls& tls,
             const std::string& instanceDirectory);

 private:
  Worker worker_;
  Channel channel_;
  ApiServer server_;
};

/// Sets what holds for all roles that listen: how their sockets are made, and who their processes
/// are.
void applyToWorker(const config::Settings& settings, Worker& worker);

/// Whether other machines may connect to the URL.
[[nodiscard]] bool isPublic(const std::string& url);

}  // namespace stormo::cli
