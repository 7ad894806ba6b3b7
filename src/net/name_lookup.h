#pragma once

#include <stormo/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sys/address.h"

namespace stormo::net {

/// Looks up a host name in a thread of its own, since getaddrinfo(3) blocks for as long as no DNS
/// server answers, and posts the addresses to the loop of the thread that created this. Destroying
/// it cancels the call of `handler`; the thread ends when getaddrinfo returns.
class NameLookup {
 public:
  using Outcome = Result<std::vector<Address>>;
  using Resolve = std::function<Outcome(const std::string& host, std::uint16_t port)>;
  using Handler = std::function<void(const Outcome&)>;

  /// `resolve` runs in the thread, `handler` once on the loop; it may destroy this. Throws
  /// std::system_error if the system has no thread left.
  NameLookup(const std::string& host, std::uint16_t port, const Resolve& resolve, Handler handler);

 private:
  std::shared_ptr<const Handler> handler_;  // the thread has a weak reference
};

}  // namespace stormo::net
