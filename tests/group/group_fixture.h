#pragma once

#include <stormo/groups.h>

#include <string>

#include "net/net_fixture.h"

namespace stormo {

/// Connections of the text protocol, and groups of them.
class GroupsTest : public net::NetTest {
 protected:
  net::Connected member(std::initializer_list<std::string_view> names) {
    net::Connected made = acceptQuietly();
    for (const std::string_view name : names) groups.join(at(made), name);
    return made;
  }
  /// A message so long that it is sent as a shared batch even to few members.
  static std::string large(std::string_view name) {
    return std::string(name) + std::string(600, '.');
  }

  Groups groups;
};

}  // namespace stormo
