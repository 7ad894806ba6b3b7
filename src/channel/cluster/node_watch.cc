#include "channel/cluster/node_watch.h"

namespace stormo::channel {

std::vector<GoneNode> NodeWatch::silent(const Nodes& nodes, NodeId self, EventLoop::TimePoint now) {
  std::vector<GoneNode> silent;
  if (now > heardAt(self, now) + goneAfter_ / 2) return silent;
  for (const auto& [id, node] : nodes.table()) {
    if (id == self || node.goneSince != 0 || now < heardAt(id, now) + goneAfter_) continue;
    hear(id, now);
    silent.push_back({.node = id, .incarnation = node.incarnation, .number = node.number});
  }
  return silent;
}

}  // namespace stormo::channel
