#include "group/registry.h"

#include <algorithm>

#include "event/call_handler.h"
#include "group/conflation.h"
#include "group/slow_rules.h"

namespace stormo::group {
namespace {

// Members are scattered over memory and mostly not cached: the next ones are fetched while the
// kernel works.
constexpr std::size_t kPrefetchAhead = 4;

}  // namespace

Group::Group(Registry& owner, std::string groupName, std::shared_ptr<SlowGroup> slowRule)
    : registry(owner), name(std::move(groupName)), slow(std::move(slowRule)) {
  if (slow == nullptr) return;
  isDroppable = slow->policy() != SlowPolicy::Disconnect;
  if (isDroppable) batch.makeDroppable(slow);
  if (slow->rule().every.count() > 0) conflation = std::make_unique<Conflation>();
}

Group::~Group() = default;

void Group::onTooSlow(const net::ConnectionImpl& connection) {
  if (slow != nullptr) slow->onDisconnected(connection.id);
}

void Group::drop(net::ConnectionImpl& connection, std::size_t membership) {
  registry.remove(*this, connection, membership);
}

Group::VariantBatch* Group::findVariant(net::Variant variant) const {
  VariantBatch* each = variants.get();
  while (each != nullptr && each->variant != variant) each = each->next.get();
  return each;
}

net::Batch& Group::batchOf(net::Variant variant) {
  return variant == net::kPlain ? batch : findVariant(variant)->batch;
}

bool Group::hasOutput() const {
  if (!batch.empty()) return true;
  const VariantBatch* each = variants.get();
  while (each != nullptr && each->batch.empty()) each = each->next.get();
  return each != nullptr;
}

void Group::addMember(net::ConnectionImpl& connection) {
  connection.out.hasJoined = true;
  const net::Variant variant = connection.out.variant;
  if (variant != net::kPlain) {
    if (findVariant(variant) == nullptr) {
      auto made = std::make_unique<VariantBatch>(VariantBatch{.variant = variant});
      if (isDroppable) made->batch.makeDroppable(slow);
      made->next = std::move(variants);
      variants = std::move(made);
    }
    ++findVariant(variant)->memberCount;
  }
  members.push_back(
      {&connection, static_cast<std::uint32_t>(connection.memberships.size()), variant});
}

void Group::removeMember(std::uint32_t place) {
  const net::Variant variant = members[place].variant;
  members[place] = members.back();
  members.pop_back();
  if (variant == net::kPlain) return;
  --findVariant(variant)->memberCount;
  if (!dirty) dropUnusedVariants();
}

void Group::clearBatches() {
  batch.clear();
  for (VariantBatch* each = variants.get(); each != nullptr; each = each->next.get()) {
    each->batch.clear();
  }
  dropUnusedVariants();
}

void Group::dropUnusedVariants() {
  std::unique_ptr<VariantBatch>* each = &variants;
  while (*each != nullptr) {
    if ((*each)->memberCount > 0) {
      each = &(*each)->next;
    } else {
      *each = std::move((*each)->next);
    }
  }
}

Registry::Registry(EventLoop& loop)
    : reactor_(net::Reactor::of(loop)),
      lifetime_(LoopImpl::of(loop).lifetime()),
      loop_(LoopImpl::of(loop)) {
  reactor_.add(*this);
}

Registry::~Registry() {
  if (!hasLoop()) return;
  onLastMember = {};
  while (!groups_.empty()) {
    Group& group = *groups_.begin()->second;
    net::ConnectionImpl& connection = *group.members.back().connection;
    remove(group, connection, group.members.back().membership);
  }
  reactor_.output.order().last = nullptr;  // it may be a batch of this registry
  reactor_.remove(*this);
}

Group* Registry::find(std::string_view name) const {
  const auto found = groups_.find(name);
  return found == groups_.end() ? nullptr : found->second.get();
}

bool Registry::join(net::ConnectionImpl& connection, std::string_view name) {
  if (!connection.isUsable()) return false;
  Group* group = find(name);
  const bool isFirst = group == nullptr;
  if (isFirst) {
    auto made =
        std::make_unique<Group>(*this, std::string(name), slowRuleOf ? slowRuleOf(name) : nullptr);
    group = made.get();
    groups_.emplace(group->name, std::move(made));
    loop_.counters().groups.add();
  } else if (isMember(connection, *group)) {
    return false;
  }
  group->addMember(connection);
  connection.memberships.push_back({group, static_cast<std::uint32_t>(group->members.size() - 1)});
  net::Batch& batch = group->batchOf(connection.out.variant);
  if (!batch.empty()) exclude(batch, connection, 0);  // messages sent before it joined
  if (group->conflation != nullptr) group->conflation->onJoin(connection.id);
  if (isFirst) notify(onFirstMember, group->name);
  return true;
}

bool Registry::leave(net::ConnectionImpl& connection, std::string_view name) {
  Group* group = find(name);
  if (group == nullptr) return false;
  const std::size_t membership = membershipOf(connection, *group);
  if (membership == kNone) return false;
  remove(*group, connection, membership);
  return true;
}

bool Registry::isMember(const net::ConnectionImpl& connection, const Group& group) const {
  return membershipOf(connection, group) != kNone;
}

std::size_t Registry::countOf(const net::ConnectionImpl& connection) const {
  return static_cast<std::size_t>(std::count_if(
      connection.memberships.begin(), connection.memberships.end(), [this](const auto& membership) {
        return &static_cast<Group*>(membership.fanout)->registry == this;
      }));
}

std::size_t Registry::membershipOf(const net::ConnectionImpl& connection, const Group& group) {
  if (connection.memberships.size() <= group.members.size()) {
    for (std::size_t i = 0; i < connection.memberships.size(); ++i) {
      if (connection.memberships[i].fanout == &group) return i;
    }
  } else {
    for (const Group::Member& member : group.members) {
      if (member.connection == &connection) return member.membership;
    }
  }
  return kNone;
}

void Registry::remove(Group& group, net::ConnectionImpl& connection, std::size_t membership) {
  const std::uint32_t place = connection.memberships[membership].memberIndex;
  net::Batch& batch = group.batchOf(group.members[place].variant);
  if (!batch.empty() && connection.isUsable()) {
    reactor_.output.keepForLeaver(connection, batch);  // it was a member when that was sent
    batch.forgetExclusions(connection.id);
  }

  if (group.conflation != nullptr) group.conflation->onLeave(connection.id);
  group.removeMember(place);
  if (place < group.members.size()) {
    const Group::Member& moved = group.members[place];
    moved.connection->memberships[moved.membership].memberIndex = place;
  }
  connection.memberships[membership] = connection.memberships.back();
  connection.memberships.pop_back();
  if (connection.memberships.empty()) {  // an idle connection has no memory for them
    std::vector<net::Membership>().swap(connection.memberships);
  }
  if (membership < connection.memberships.size()) {
    const net::Membership& moved = connection.memberships[membership];
    static_cast<Group*>(moved.fanout)->members[moved.memberIndex].membership =
        static_cast<std::uint32_t>(membership);
  }
  if (group.members.empty()) retire(group);
}

void Registry::retire(Group& group) {
  auto node = groups_.extract(group.name);
  loop_.counters().groups.subtract();
  if (group.dirty) retired_.push_back(std::move(node.mapped()));
  notify(onLastMember, node.key());
}

void Registry::notify(const NameHandler& handler, std::string_view name) {
  if (!handler || !hasLoop()) return;  // no handler is called while the loop is destroyed
  if (!callHandler("group", handler, name)) loop_.counters().handlerErrors.add();
}

void Registry::markDirty(Group& group) {
  if (group.dirty) return;
  group.dirty = true;
  dirty_.push_back(&group);
  loop_.requestTurn();
}

net::Batch* Registry::batchOfMember(Group& group, const net::ConnectionImpl& connection) {
  const std::size_t membership = membershipOf(connection, group);
  if (membership == kNone) return nullptr;
  return &group.batchOf(group.members[connection.memberships[membership].memberIndex].variant);
}

void Registry::exclude(net::Batch& batch, net::ConnectionImpl& connection, std::size_t begin) {
  batch.exclude(connection.id, begin, batch.size());
  connection.out.isExcluded = true;
}

void Registry::fanOut() {
  for (Group* group : dirty_) flush(*group);
}

void Registry::clearBatches() {
  if (dirty_.empty()) return;
  reactor_.output.order().last = nullptr;
  for (Group* group : dirty_) {
    group->clearBatches();
    group->dirty = false;
  }
  dirty_.clear();
  retired_.clear();
}

void Registry::flushDroppable(Group& group) {
  const auto& members = group.members;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i + kPrefetchAhead < members.size())
      __builtin_prefetch(members[i + kPrefetchAhead].connection);
    reactor_.output.fanOutDroppable(*members[i].connection, group.batchOf(members[i].variant));
  }
}

void Registry::flush(Group& group) {
  if (group.isDroppable) return flushDroppable(group);
  const auto& members = group.members;
  const bool isPlain = group.variants == nullptr;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i + kPrefetchAhead < members.size())
      __builtin_prefetch(members[i + kPrefetchAhead].connection);
    net::Batch& batch = isPlain ? group.batch : group.batchOf(members[i].variant);
    reactor_.output.fanOut(*members[i].connection, batch);
  }
}

}  // namespace stormo::group
