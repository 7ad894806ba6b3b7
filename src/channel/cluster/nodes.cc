#include "channel/cluster/nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stormo::channel {
namespace {

/// Longer records than any Channel accepts: the parts of a node that sends no end are dropped.
constexpr std::size_t kPartBytesMax = std::size_t{64} << 20;

}  // namespace

void appendPart(std::string_view body, std::string& part) {
  if (part.size() + body.size() > kPartBytesMax) part.clear();
  part += body;
}

const Nodes::Node* Nodes::find(NodeId id) const {
  const auto found = table_.find(id);
  return found == table_.end() ? nullptr : &found->second;
}

std::string Nodes::nameOf(NodeId id) const {
  const Node* const node = find(id);
  return node == nullptr ? fmt::format("{:016x}", id) : node->name;
}

Nodes::Verdict Nodes::take(const Batch& batch, std::uint64_t sequence) {
  if (batch.kind == BatchKind::Start) return start(batch);
  if (batch.kind == BatchKind::Epoch) return Verdict::Counts;
  const auto found = table_.find(batch.node);
  if (found == table_.end() || found->second.goneSince != 0) return Verdict::Repeated;
  Node& node = found->second;
  if (batch.incarnation != node.incarnation || batch.number <= node.number) {
    return Verdict::Repeated;
  }
  if (batch.number != node.number + 1) return Verdict::Early;
  node.number = batch.number;
  if (batch.kind == BatchKind::Part) appendPart(batch.body, node.part);
  if (batch.kind == BatchKind::Gone) end(goneIn(batch.body), sequence);
  return Verdict::Counts;
}

Nodes::Verdict Nodes::start(const Batch& batch) {
  Node& node = table_[batch.node];
  if (batch.incarnation <= node.incarnation) return Verdict::Repeated;
  node = {.name = std::string(batch.body), .incarnation = batch.incarnation};
  return Verdict::Counts;
}

bool Nodes::hasEnded(const GoneNode& gone, std::uint64_t sequence) const {
  const Node* const node = find(gone.node);
  return node != nullptr && node->goneSince == sequence;
}

// Not if it has sent something meanwhile, or was ended before.
void Nodes::end(const GoneNode& gone, std::uint64_t sequence) {
  const auto found = table_.find(gone.node);
  if (found == table_.end()) return;
  Node& node = found->second;
  if (node.incarnation != gone.incarnation || node.number != gone.number) return;
  if (node.goneSince != 0) return;
  node.goneSince = sequence;
  node.part.clear();
  forgetGone();
}

void Nodes::forgetGone() {
  std::size_t count = 0;
  auto oldest = table_.end();
  for (auto each = table_.begin(); each != table_.end(); ++each) {
    if (each->second.goneSince == 0) continue;
    ++count;
    const bool isOlder =
        oldest == table_.end() || each->second.goneSince < oldest->second.goneSince;
    if (isOlder) oldest = each;
  }
  if (count > kGoneMax) table_.erase(oldest);
}

bool Nodes::hasParts() const {
  return std::ranges::any_of(table_, [](const auto& each) { return !each.second.part.empty(); });
}

std::string_view Nodes::recordsOf(const Batch& batch) {
  Node& node = table_.at(batch.node);
  if (node.part.empty()) return batch.body;
  records_ = std::exchange(node.part, {});
  records_ += batch.body;
  return records_;
}

void Nodes::save(StateWriter& out) const {
  out.number(table_.size());
  for (const auto& [id, node] : table_) {
    out.number(id);
    out.bytes(node.name);
    out.number(node.incarnation);
    out.number(node.number);
    out.number(node.goneSince);
    out.bytes(node.part);
  }
}

void Nodes::restore(StateReader& in) {
  for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left) {
    const NodeId id = in.number();
    Node node{.name = std::string(in.bytes()),
              .incarnation = in.number(),
              .number = in.number(),
              .goneSince = in.number(),
              .part = std::string(in.bytes())};
    table_.emplace(id, std::move(node));
  }
}

}  // namespace stormo::channel
