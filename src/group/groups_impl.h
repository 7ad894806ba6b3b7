#pragma once

#include <stormo/groups.h>

#include <memory>
#include <optional>

#include "group/conflation.h"
#include "group/registry.h"
#include "group/slow_rules.h"

namespace stormo {

/// The Channel, as used by the Groups that are attached to it.
class GroupLink {
 public:
  virtual ~GroupLink() = default;
  /// The group has got its first member in this process.
  virtual void subscribe(std::string_view group) = 0;
  /// The group has lost its last member in this process.
  virtual void unsubscribe(std::string_view group) = 0;
  virtual PublishStatus publish(std::string_view group, Message message) = 0;
};

/// Bound to the loop of the thread on which the first connection joins: Groups may be declared
/// before the fork.
struct Groups::Impl {
  group::Registry& bind(Groups& groups);
  [[nodiscard]] group::Group* find(std::string_view name) const;
  std::size_t send(std::string_view name, Message message, group::Except except);
  /// Sends the newest message of a group that has waited for its time.
  void sendConflated(std::string_view name);

  std::unique_ptr<GroupLink> link;  // null without a Channel; outlives the members
  std::optional<group::SlowRules> slowRules;
  std::optional<group::Registry> registry;
  group::ConflationTimer conflationTimer{[this](std::string_view name) { sendConflated(name); }};

 private:
  void encode(group::Group& group, Message message, group::Except except);
};

}  // namespace stormo
