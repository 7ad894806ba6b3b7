#include "group/registry.h"

#include <algorithm>

#include "event/call_handler.h"

namespace stormo::group {
namespace {

// Members are scattered over memory and mostly cold: the next ones are fetched while the kernel
// works.
constexpr std::size_t kPrefetchAhead = 4;

}  // namespace

void Group::drop(net::ConnectionImpl& peer, std::size_t membership) {
  registry.remove(*this, peer, membership);
}

Registry::Registry(EventLoop& loop)
    : reactor_(net::Reactor::of(loop)),
      table_(reactor_.connections),
      lifetime_(LoopImpl::of(loop).lifetime()),
      loop_(LoopImpl::of(loop)) {
  reactor_.add(*this);
}

Registry::~Registry() {
  if (!hasLoop()) return;
  onLastMember = {};
  while (!groups_.empty()) {
    Group& group = *groups_.begin()->second;
    net::ConnectionImpl& peer = *group.members.back().peer;
    remove(group, peer, group.members.back().membership);
  }
  table_.order().last = nullptr;  // it may be a batch of ours
  reactor_.remove(*this);
}

Group* Registry::find(std::string_view name) const {
  const auto found = groups_.find(name);
  return found == groups_.end() ? nullptr : found->second.get();
}

bool Registry::join(net::ConnectionImpl& peer, std::string_view name) {
  if (!peer.isUsable()) return false;
  Group* group = find(name);
  const bool isFirst = group == nullptr;
  if (isFirst) {
    auto made = std::make_unique<Group>(*this, std::string(name));
    group = made.get();
    groups_.emplace(group->name, std::move(made));
    loop_.counters().groups.add();
  } else if (isMember(peer, *group)) {
    return false;
  }
  group->members.push_back({&peer, static_cast<std::uint32_t>(peer.memberships.size())});
  peer.memberships.push_back({group, static_cast<std::uint32_t>(group->members.size() - 1)});
  if (!group->batch.empty()) exclude(*group, peer, 0);  // what was sent before it came
  if (isFirst) tell(onFirstMember, group->name);
  return true;
}

bool Registry::leave(net::ConnectionImpl& peer, std::string_view name) {
  Group* group = find(name);
  if (group == nullptr) return false;
  const std::size_t membership = membershipOf(peer, *group);
  if (membership == kNone) return false;
  remove(*group, peer, membership);
  return true;
}

bool Registry::isMember(const net::ConnectionImpl& peer, const Group& group) const {
  return membershipOf(peer, group) != kNone;
}

std::size_t Registry::countOf(const net::ConnectionImpl& peer) const {
  return static_cast<std::size_t>(std::count_if(
      peer.memberships.begin(), peer.memberships.end(), [this](const auto& membership) {
        return &static_cast<Group*>(membership.fanout)->registry == this;
      }));
}

std::size_t Registry::membershipOf(const net::ConnectionImpl& peer, const Group& group) {
  if (peer.memberships.size() <= group.members.size()) {
    for (std::size_t i = 0; i < peer.memberships.size(); ++i) {
      if (peer.memberships[i].fanout == &group) return i;
    }
  } else {
    for (const Group::Member& member : group.members) {
      if (member.peer == &peer) return member.membership;
    }
  }
  return kNone;
}

void Registry::remove(Group& group, net::ConnectionImpl& peer, std::size_t membership) {
  if (!group.batch.empty() && peer.isUsable()) {
    table_.keepForLeaver(peer, group.batch);  // it was a member when that was sent
    group.batch.forgetExclusions(peer.id);
  }

  const std::uint32_t place = peer.memberships[membership].memberIndex;
  group.members[place] = group.members.back();
  group.members.pop_back();
  if (place < group.members.size()) {
    const Group::Member& moved = group.members[place];
    moved.peer->memberships[moved.membership].memberIndex = place;
  }
  peer.memberships[membership] = peer.memberships.back();
  peer.memberships.pop_back();
  if (membership < peer.memberships.size()) {
    const net::Membership& moved = peer.memberships[membership];
    static_cast<Group*>(moved.fanout)->members[moved.memberIndex].membership =
        static_cast<std::uint32_t>(membership);
  }
  if (group.members.empty()) retire(group);
}

void Registry::retire(Group& group) {
  auto node = groups_.extract(group.name);
  loop_.counters().groups.subtract();
  if (group.dirty) retired_.push_back(std::move(node.mapped()));
  tell(onLastMember, node.key());
}

void Registry::tell(const NameHandler& handler, std::string_view name) {
  if (!handler || !hasLoop()) return;  // while the loop ends, nobody is there who could use it
  if (!callHandler("group", handler, name)) loop_.counters().handlerErrors.add();
}

void Registry::markDirty(Group& group) {
  if (group.dirty) return;
  group.dirty = true;
  dirty_.push_back(&group);
  loop_.requestTurn();
}

bool Registry::exclude(Group& group, net::ConnectionImpl& peer, std::size_t begin) {
  if (!isMember(peer, group)) return false;
  group.batch.exclude(peer.id, begin, group.batch.size());
  peer.excluded = true;
  return true;
}

void Registry::fanOut() {
  for (Group* group : dirty_) flush(*group);
}

void Registry::clearBatches() {
  if (dirty_.empty()) return;
  table_.order().last = nullptr;
  for (Group* group : dirty_) {
    group->batch.clear();
    group->dirty = false;
  }
  dirty_.clear();
  retired_.clear();
}

void Registry::flush(Group& group) {
  const auto& members = group.members;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i + kPrefetchAhead < members.size()) __builtin_prefetch(members[i + kPrefetchAhead].peer);
    table_.fanOut(*members[i].peer, group.batch);
  }
}

}  // namespace stormo::group
