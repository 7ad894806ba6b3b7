#include "channel/server/door.h"

#include "net/input.h"
#include "net/proxy_peers.h"
#include "net/reactor.h"

namespace stormo::channel {

Door::Door(const Server& settings, net::ConnectionTable& table)
    : settings_(settings), table_(table), workermanPeers_(settings.workermanPeers) {}

Door::~Door() {
  if (timer_ != 0) Timer::cancel(timer_);
}

bool Door::accepts(std::string_view challenge, std::uint64_t producerId,
                   std::string_view proof) const {
  const std::string& other = settings_.otherSecret;
  return isProofOf(settings_.secret, challenge, producerId, proof) ||
         (!other.empty() && isProofOf(other, challenge, producerId, proof));
}

bool Door::acceptsWorkerman(const net::ConnectionImpl& link) const {
  const Address peer = link.remote.get();
  const bool isOpen = settings_.allowOpen && !needsProof();
  return isOpen || peer.isLocal() || net::trusts(workermanPeers_, peer);
}

void Door::refuseLater(net::ConnectionImpl& link) {
  link.reactor.input.pause(link);
  waiting_.push_back({link.id.packed(), table_.loop().now + kPenalty});
  if (timer_ == 0) arm();
}

void Door::arm() {
  timer_ = Timer::once(waiting_.front().until - table_.loop().now, [this] {
    timer_ = 0;
    while (!waiting_.empty() && waiting_.front().until <= table_.loop().now) {
      const ConnectionId id = waiting_.front().link;
      waiting_.pop_front();
      if (net::ConnectionImpl* const link = table_.find(id)) refuse(*link);
    }
    if (!waiting_.empty()) arm();
  });
}

}  // namespace stormo::channel
