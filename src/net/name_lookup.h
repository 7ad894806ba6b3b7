#pragma once

#include <stormo/event_loop.h>
#include <stormo/result.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sys/address.h"

namespace stormo::net {

/// Looks a host name up in a thread of its own, since getaddrinfo(3) blocks for as long as no DNS
/// server answers, and hands the addresses to the loop of the thread that made this. Destroying it
/// cancels the call; the thread ends when getaddrinfo returns.
class NameLookup {
 public:
  using Outcome = Result<std::vector<Address>>;
  using Resolve = std::function<Outcome(const std::string& host, std::uint16_t port)>;
  using Handler = std::function<void(const Outcome&)>;

  /// `resolve` runs in the thread, `handler` once on the loop; it may destroy this. Throws
  /// std::system_error if the system has no thread or descriptor left.
  NameLookup(const std::string& host, std::uint16_t port, const Resolve& resolve, Handler handler);
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

 private:
  struct Answer;
  void onReady();

  EventLoop& loop_;
  std::shared_ptr<Answer> answer_;
  Handler handler_;
  EventLoop::WatchId watch_ = 0;
};

}  // namespace stormo::net
