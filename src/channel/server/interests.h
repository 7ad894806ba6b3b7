#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "channel/log/log.h"
#include "channel/log/state_stream.h"

namespace stormo::channel {

/// How many subscribers each event has at each node of a cluster: part of the Channel's state. It
/// is empty if the log is not shared.
class Interests {
 public:
  /// Replaces that node's number of subscribers.
  void set(std::string_view event, NodeId node, std::uint64_t count);
  /// Forgets all subscribers of that node.
  void nodeGone(NodeId node);

  /// Chooses the node that gets the next event for one subscriber: those that have some take turns.
  /// `otherwise` if there are none.
  [[nodiscard]] NodeId next(std::string_view event, NodeId otherwise);

  /// The number of subscribers at all nodes but `node`.
  [[nodiscard]] std::uint64_t countBeside(NodeId node, std::string_view event) const;
  /// Calls `visit(event, count)` for each event that has subscribers at that node.
  template <typename Visit>
  void forEachOf(NodeId node, const Visit& visit) const {
    for (const auto& [name, event] : events_) {
      const auto found = event.counts.find(node);
      if (found != event.counts.end()) visit(std::string_view(name), found->second);
    }
  }

  void save(StateWriter& out) const;
  /// Only on an empty object.
  void restore(StateReader& in);

 private:
  struct Event {
    std::map<NodeId, std::uint64_t> counts;  ///< None of them is 0.
    NodeId latest = 0;                       ///< Chosen by next().
  };

  std::map<std::string, Event, std::less<>> events_;  // those that have subscribers
};

}  // namespace stormo::channel
