#pragma once

#include <stormo/event_loop.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "channel/cluster/nodes.h"

namespace stormo::channel {

/// When this process has heard of the nodes of its cluster, by its own clock.
class NodeWatch {
 public:
  /// A node that is silent for `goneAfter` is to be declared gone.
  explicit NodeWatch(EventLoop::Duration goneAfter) : goneAfter_(goneAfter) {}

  /// A message of that node has come.
  void hear(NodeId id, EventLoop::TimePoint now) { heardAt_[id] = now; }
  /// Since when that node is silent; a node that was never heard, since the first question.
  [[nodiscard]] EventLoop::TimePoint heardAt(NodeId id, EventLoop::TimePoint now) {
    return heardAt_.try_emplace(id, now).first->second;
  }
  /// Those to declare gone now, except `self`: none while its own messages do not come back, as
  /// then it is `self` that is away, or behind. Each is named again only after another `goneAfter`.
  [[nodiscard]] std::vector<GoneNode> silent(const Nodes& nodes, NodeId self,
                                             EventLoop::TimePoint now);

 private:
  const EventLoop::Duration goneAfter_;
  std::map<NodeId, EventLoop::TimePoint> heardAt_;
};

}  // namespace stormo::channel
