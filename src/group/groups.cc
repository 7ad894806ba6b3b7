#include <stormo/groups.h>

#include <algorithm>
#include <stdexcept>

#include "group/groups_impl.h"
#include "net/codec/codec.h"

namespace stormo {

using net::ConnectionImpl;

group::Registry& Groups::Impl::bind(Groups& groups) {
  if (registry && !registry->hasLoop()) registry.reset();
  if (!registry) {
    registry.emplace(EventLoop::current());
    if (slowRules) {
      registry->slowRuleOf = [this](std::string_view name) {
        return slowRules->find(name, registry->loop().counters());
      };
    }
    registry->onFirstMember = [this, &groups](std::string_view name) {
      if (link) link->subscribe(name);
      if (groups.onFirstMember) groups.onFirstMember(name);
    };
    registry->onLastMember = [this, &groups](std::string_view name) {
      if (link) link->unsubscribe(name);
      if (groups.onLastMember) groups.onLastMember(name);
    };
  }
  return *registry;
}

group::Group* Groups::Impl::find(std::string_view name) const {
  return registry ? registry->find(name) : nullptr;
}

std::size_t Groups::Impl::send(std::string_view name, Message message, group::Except except) {
  group::Group* group = find(name);
  if (group == nullptr) return 0;
  std::size_t receivers = group->members.size();
  for (const ConnectionImpl* each : except) receivers -= registry->isMember(*each, *group) ? 1 : 0;
  if (group->conflation == nullptr) {
    encode(*group, message, except);
    return receivers;
  }
  const TimePoint now = registry->loop().now;
  if (group->conflation->mayPass(now, group->slow->rule().every)) {
    encode(*group, message, except);
  } else {
    group->slow->onConflated(group->conflation->keep(message, receivers, except));
    conflationTimer.await(name, group->conflation->dueAt());
  }
  return receivers;
}

void Groups::Impl::encode(group::Group& group, Message message, group::Except except) {
  // The members of a group and a variant get the same bytes: see join().
  const net::Codec& codec = *group.members.front().connection->endpoint->codec;
  const auto write = [&](net::Variant variant, net::Batch& batch, net::OutputOrder& order) {
    codec.encode(message, variant, batch, order);
  };
  if (except.size() > 1) return registry->appendExcept(group, write, except);
  registry->append(group, message.data.size(), write, except.empty() ? nullptr : except.front());
}

void Groups::Impl::sendConflated(std::string_view name) {
  group::Group* group = registry && registry->hasLoop() ? find(name) : nullptr;
  if (group == nullptr || group->conflation == nullptr) return;
  group->conflation->send(*group, registry->loop().now);
}

Groups::Groups() : impl_(std::make_unique<Impl>()) {}
Groups::~Groups() = default;

void Groups::setSlowRules(std::vector<SlowRule> rules, MissedMessage missed) {
  if (impl_->registry && impl_->registry->size() > 0) {
    throw std::logic_error("Groups::setSlowRules() after a connection has joined");
  }
  impl_->slowRules.emplace(std::move(rules), std::move(missed));
  impl_->registry.reset();
}

bool Groups::join(Connection& connection, std::string_view name) {
  if (impl_->link && !isName(name))
    throw std::invalid_argument("a group's name has 1 to 255 bytes");
  ConnectionImpl& joining = ConnectionImpl::of(connection);
  if (!joining.endpoint->codec->hasMessages()) {
    throw std::logic_error("Groups::join() of a connection of HTTP, which has no messages");
  }
  group::Registry& registry = impl_->bind(*this);
  if (const group::Group* group = registry.find(name)) {
    const net::Endpoint& others = *group->members.front().connection->endpoint;
    if (!others.codec->encodesAs(*joining.endpoint->codec)) {
      throw std::logic_error("Groups::join() of connections with different protocols");
    }
  }
  return registry.join(joining, name);
}

bool Groups::leave(Connection& connection, std::string_view name) {
  return impl_->registry && impl_->registry->leave(ConnectionImpl::of(connection), name);
}

PublishStatus Groups::publish(std::string_view name, Message message) {
  if (impl_->link == nullptr) throw std::logic_error("Groups::publish() without a Channel");
  return impl_->link->publish(name, message);
}

std::size_t Groups::send(std::string_view name, Message message) {
  return impl_->send(name, message, {});
}

std::size_t Groups::sendExcept(std::string_view name, Message message, const Connection& except) {
  ConnectionImpl* const one = &ConnectionImpl::of(const_cast<Connection&>(except));
  return impl_->send(name, message, {&one, 1});
}

std::size_t Groups::sendExcept(std::string_view name, Message message,
                               std::span<Connection* const> except) {
  std::vector<ConnectionImpl*> all;
  for (Connection* const each : except) all.push_back(&ConnectionImpl::of(*each));
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return impl_->send(name, message, all);
}

bool Groups::isMember(const Connection& connection, std::string_view name) const {
  const group::Group* group = impl_->find(name);
  return group != nullptr && impl_->registry->isMember(ConnectionImpl::of(connection), *group);
}

std::size_t Groups::memberCount(std::string_view name) const {
  const group::Group* group = impl_->find(name);
  return group == nullptr ? 0 : group->members.size();
}

std::size_t Groups::groupCount() const { return impl_->registry ? impl_->registry->size() : 0; }

std::size_t Groups::groupCount(const Connection& connection) const {
  return impl_->registry ? impl_->registry->countOf(ConnectionImpl::of(connection)) : 0;
}

void Groups::forEachMember(std::string_view name,
                           const std::function<void(Connection&)>& visit) const {
  if (const group::Group* group = impl_->find(name)) {
    for (const auto& member : group->members) visit(*member.connection);
  }
}

void Groups::forEachGroup(
    const std::function<void(std::string_view name, std::size_t members)>& visit) const {
  if (!impl_->registry) return;
  impl_->registry->forEachGroup(
      [&](const group::Group& group) { visit(group.name, group.members.size()); });
}

std::vector<std::string> Groups::groupsOf(const Connection& connection) const {
  std::vector<std::string> names;
  if (!impl_->registry) return names;
  impl_->registry->forEachGroupOf(ConnectionImpl::of(connection),
                                  [&](const group::Group& group) { names.push_back(group.name); });
  return names;
}

}  // namespace stormo
