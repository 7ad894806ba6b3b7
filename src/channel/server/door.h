#pragma once

#include <stormo/channel/server.h>
#include <stormo/timer.h>

#include <chrono>
#include <deque>
#include <functional>
#include <string_view>

#include "net/connection_table.h"
#include "protocol/channel/proof.h"
#include "protocol/proxy/trusted_proxies.h"

namespace stormo::channel {

/// Decides who may link to a Channel server.
class Door {
 public:
  /// `settings` and `table` outlive this.
  Door(const Server& settings, net::ConnectionTable& table);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  /// True if links of Stormo's dialect must prove that they know a secret.
  [[nodiscard]] bool needsProof() const { return !settings_.secret.empty(); }
  /// True if it is the proof of one of the secrets.
  [[nodiscard]] bool accepts(std::string_view challenge, std::uint64_t producerId,
                             std::string_view proof) const;
  /// True if this peer may use Workerman's dialect, which carries no secret.
  [[nodiscard]] bool acceptsWorkerman(const net::ConnectionImpl& link) const;

  /// Calls `refuse` for the link in kPenalty, if it still exists then, and reads nothing from it
  /// meanwhile: whoever tries many secrets waits for each answer.
  void refuseLater(net::ConnectionImpl& link);
  std::function<void(net::ConnectionImpl& link)> refuse;
  static constexpr std::chrono::milliseconds kPenalty{1000};

 private:
  struct Waiting {
    ConnectionId link;
    TimePoint until;
  };
  void arm();

  const Server& settings_;
  net::ConnectionTable& table_;
  const proxy::TrustedProxies workermanPeers_;
  std::deque<Waiting> waiting_;  // in the order of their ends
  Timer::Id timer_ = 0;
};

}  // namespace stormo::channel
