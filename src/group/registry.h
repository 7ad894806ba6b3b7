#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"
#include "event/loop_impl.h"
#include "net/reactor.h"

namespace stormo::group {

class Registry;

/// A named set of connections, and the batch that they get in this turn.
struct Group final : net::Fanout {
  struct Member {
    net::ConnectionImpl* peer;
    std::uint32_t membership;  ///< Its place in ConnectionImpl::memberships.
  };

  Group(Registry& owner, std::string groupName) : registry(owner), name(std::move(groupName)) {}
  void drop(net::ConnectionImpl& peer, std::size_t membership) override;

  Registry& registry;
  const std::string name;
  std::vector<Member> members;
  net::Batch batch;
  bool dirty = false;
};

/// Groups by name, and their flush once a turn. Used by both users of groups: the public Groups,
/// and the Channel server, whose channels are groups and whose links are members.
///
/// Joining, leaving and finding cost the same however many groups exist; a turn costs nothing for
/// groups without traffic.
class Registry final : net::GroupOutput {
 public:
  using NameHandler = std::function<void(std::string_view name)>;

  explicit Registry(EventLoop& loop);
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// Null if nobody is a member.
  [[nodiscard]] Group* find(std::string_view name) const;
  bool join(net::ConnectionImpl& peer, std::string_view name);
  bool leave(net::ConnectionImpl& peer, std::string_view name);
  [[nodiscard]] bool isMember(const net::ConnectionImpl& peer, const Group& group) const;
  [[nodiscard]] std::size_t size() const { return groups_.size(); }
  template <typename Visit>
  void forEachGroup(const Visit& visit) const {
    for (const auto& [name, group] : groups_) visit(*group);
  }
  [[nodiscard]] std::size_t countOf(const net::ConnectionImpl& peer) const;

  /// Appends one message to the group's output of this turn: `write(Batch&, OutputOrder&)` encodes
  /// it, into about `bytes` bytes. Few and small copies are cheaper than a shared batch; then it is
  /// called once for each member.
  template <typename Write>
  void append(Group& group, std::size_t bytes, const Write& write,
              net::ConnectionImpl* except = nullptr) {
    std::size_t receivers = 0;
    if (group.batch.empty() &&
        group.members.size() * (bytes + kCopyOverheadBytes) <= kCopiedBytesMax) {
      for (const Group::Member& member : group.members) {
        if (member.peer == except) continue;
        if (net::Batch* own = table_.ownBatchOfMember(*member.peer)) write(*own, table_.order());
        ++receivers;
      }
    } else {
      const std::size_t begin = group.batch.size();
      write(group.batch, table_.order());
      markDirty(group);
      receivers = group.members.size();
      if (except != nullptr && exclude(group, *except, begin)) --receivers;
    }
    loop_.counters().messagesOut.add(receivers);
  }

  /// False once its loop is gone: then it is empty, and nothing is left but its destruction.
  [[nodiscard]] bool hasLoop() const { return !lifetime_.expired(); }

  NameHandler onFirstMember;
  NameHandler onLastMember;

 private:
  friend struct Group;
  /// Of all copies of one message together.
  static constexpr std::size_t kCopiedBytesMax = 512;
  /// What one copy costs beside its bytes, as if it were bytes.
  static constexpr std::size_t kCopyOverheadBytes = 16;

  void fanOut() override;
  void clearBatches() override;
  void flush(Group& group);
  void markDirty(Group& group);
  /// False if it is no member.
  bool exclude(Group& group, net::ConnectionImpl& peer, std::size_t begin);
  void tell(const NameHandler& handler, std::string_view name);
  /// The membership's place in ConnectionImpl::memberships; kNone if there is none. Looks through
  /// the shorter list.
  [[nodiscard]] static std::size_t membershipOf(const net::ConnectionImpl& peer,
                                                const Group& group);
  static constexpr std::size_t kNone = ~std::size_t{0};
  void remove(Group& group, net::ConnectionImpl& peer, std::size_t membership);
  void retire(Group& group);

  net::Reactor& reactor_;
  net::ConnectionTable& table_;
  std::weak_ptr<const void> lifetime_;
  LoopImpl& loop_;
  KeyedMap<std::string, std::unique_ptr<Group>> groups_;
  std::vector<Group*> dirty_;
  std::vector<std::unique_ptr<Group>> retired_;  // dirty when their last member left
};

}  // namespace stormo::group
