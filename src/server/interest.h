#pragma once

#include <stormo/groups.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "base/keyed_hash.h"
#include "channel/client/bus.h"

namespace stormo::server {

/// Who in this process needs the messages of which groups: these are subscribed to while anybody
/// does.
class Interest {
 public:
  explicit Interest(channel::Bus& bus) : bus_(bus) {}

  /// The members of these groups need their messages.
  void follow(Groups& groups) {
    groups.onFirstMember = [this](std::string_view group) { add(group); };
    groups.onLastMember = [this](std::string_view group) { remove(group); };
  }

  void add(std::string_view group) {
    auto known = counts_.find(group);
    if (known == counts_.end()) {
      known = counts_.emplace(group, 0).first;
      bus_.subscribeGroup(group);
    }
    ++known->second;
  }

  void remove(std::string_view group) {
    const auto known = counts_.find(group);
    if (known == counts_.end() || --known->second > 0) return;
    counts_.erase(known);
    bus_.unsubscribeGroup(group);
  }

  template <typename Visit>
  void forEachGroup(const Visit& visit) const {
    for (const auto& [group, count] : counts_) visit(group);
  }

 private:
  channel::Bus& bus_;
  KeyedMap<std::string, std::size_t> counts_;
};

}  // namespace stormo::server
