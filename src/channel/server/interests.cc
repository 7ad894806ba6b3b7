#include "channel/server/interests.h"

#include <iterator>
#include <utility>

namespace stormo::channel {

void Interests::set(std::string_view event, NodeId node, std::uint64_t count) {
  auto found = events_.find(event);
  if (count > 0) {
    if (found == events_.end()) found = events_.try_emplace(std::string(event)).first;
    found->second.counts[node] = count;
  } else if (found != events_.end()) {
    found->second.counts.erase(node);
    if (found->second.counts.empty()) events_.erase(found);
  }
}

void Interests::nodeGone(NodeId node) {
  for (auto event = events_.begin(); event != events_.end();) {
    event->second.counts.erase(node);
    event = event->second.counts.empty() ? events_.erase(event) : std::next(event);
  }
}

NodeId Interests::next(std::string_view name, NodeId otherwise) {
  const auto found = events_.find(name);
  if (found == events_.end()) return otherwise;
  Event& event = found->second;
  auto chosen = event.counts.upper_bound(event.latest);
  if (chosen == event.counts.end()) chosen = event.counts.begin();
  event.latest = chosen->first;
  return event.latest;
}

std::uint64_t Interests::countBeside(NodeId node, std::string_view name) const {
  const auto found = events_.find(name);
  if (found == events_.end()) return 0;
  std::uint64_t sum = 0;
  for (const auto& [each, count] : found->second.counts) sum += each == node ? 0 : count;
  return sum;
}

void Interests::save(StateWriter& out) const {
  out.number(events_.size());
  for (const auto& [name, event] : events_) {
    out.bytes(name);
    out.number(event.latest);
    out.number(event.counts.size());
    for (const auto& [node, count] : event.counts) {
      out.number(node);
      out.number(count);
    }
  }
}

void Interests::restore(StateReader& in) {
  for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left) {
    Event event;
    const std::string_view name = in.bytes();
    event.latest = in.number();
    for (std::uint64_t nodes = in.number(); nodes > 0 && in.ok(); --nodes) {
      const NodeId node = in.number();
      event.counts[node] = in.number();
    }
    if (!event.counts.empty()) events_.insert_or_assign(std::string(name), std::move(event));
  }
}

}  // namespace stormo::channel
