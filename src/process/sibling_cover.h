#pragma once

#include <optional>
#include <vector>

namespace stormo::process {

/// Decides which living child of a role accepts for a slot that cannot. Decides only; telling them
/// is the master's.
class SiblingCover {
 public:
  explicit SiblingCover(int slots) : acceptorOf_(static_cast<std::size_t>(slots)) {}

  /// What to tell the child in slot `acceptor`: accept from the sockets of slot `slot`, or no
  /// longer.
  struct Order {
    int acceptor;
    int slot;
    bool accept;
    bool operator==(const Order&) const = default;
  };

  /// `able[i]`: the child in slot i accepts. Gives what changed since the last call; an order to
  /// end may go to a child that is gone, and is void then. While none is able, the kernel's queues
  /// hold the clients.
  std::vector<Order> update(const std::vector<bool>& able);

 private:
  std::vector<std::optional<int>> acceptorOf_;  // by the slot that is covered
};

}  // namespace stormo::process
