#pragma once

#include <optional>
#include <vector>

namespace stormo::process {

/// Decides which child of a role accepts for a slot that cannot. The master sends the orders.
class SiblingCover {
 public:
  explicit SiblingCover(int slots) : acceptorOf_(static_cast<std::size_t>(slots)) {}

  /// An order to the child in slot `acceptor`: accept from the sockets of slot `slot`, or no
  /// longer.
  struct Order {
    int acceptor;
    int slot;
    bool accept;
    bool operator==(const Order&) const = default;
  };

  /// `able[i]`: the child in slot i accepts. Returns the changes since the last call. An order to
  /// end may be for a child that has ended, and has no effect then. While no child is able, clients
  /// wait in the kernel's queues.
  std::vector<Order> update(const std::vector<bool>& able);

 private:
  std::vector<std::optional<int>> acceptorOf_;  // indexed by the covered slot
};

}  // namespace stormo::process
