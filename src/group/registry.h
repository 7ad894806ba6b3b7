#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"
#include "event/loop_impl.h"
#include "net/reactor.h"

namespace stormo::group {

/// Connections that do not get a message.
using Except = std::span<net::ConnectionImpl* const>;

class Conflation;
class Registry;
class SlowGroup;

/// A named set of connections, and the batches that its members get in this turn: one for each
/// variant of the codec's output that a member has.
struct Group final : net::Fanout {
  struct Member {
    net::ConnectionImpl* connection;
    std::uint32_t membership;  ///< The group's index in ConnectionImpl::memberships.
    net::Variant variant;      ///< That of the connection when it joined.
  };
  /// The batch of the members of a variant other than plain.
  struct VariantBatch {
    net::Variant variant;
    std::size_t memberCount = 0;
    net::Batch batch = {};
    std::unique_ptr<VariantBatch> next = {};
  };

  /// `slowRule`: null if no rule matches its name.
  Group(Registry& owner, std::string groupName, std::shared_ptr<SlowGroup> slowRule);
  ~Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  void drop(net::ConnectionImpl& connection, std::size_t membership) override;
  void onTooSlow(const net::ConnectionImpl& connection) override;

  /// The batch of a variant, which must be plain or that of a member.
  [[nodiscard]] net::Batch& batchOf(net::Variant variant);
  [[nodiscard]] bool hasOutput() const;
  void addMember(net::ConnectionImpl& connection);
  /// Removes a member. The batch of its variant stays, if it may be in use in this turn.
  void removeMember(std::uint32_t place);
  void clearBatches();
  /// Calls `visit(Variant, Batch&)` for each variant that a member has.
  template <typename Visit>
  void forEachBatch(const Visit& visit) {
    std::size_t plainMemberCount = members.size();
    for (VariantBatch* each = variants.get(); each != nullptr; each = each->next.get()) {
      plainMemberCount -= each->memberCount;
      if (each->memberCount > 0) visit(each->variant, each->batch);
    }
    if (plainMemberCount > 0) visit(net::kPlain, batch);
  }

  Registry& registry;
  const std::string name;
  std::vector<Member> members;
  net::Batch batch;                        ///< Of the plain members.
  std::unique_ptr<VariantBatch> variants;  ///< A list; null if all members are plain.
  bool dirty = false;
  bool isDroppable = false;                ///< Its messages may be dropped for a slow member.
  std::shared_ptr<SlowGroup> slow;         ///< Null: no rule, as with SlowPolicy::Disconnect.
  std::unique_ptr<Conflation> conflation;  ///< Null: all messages are sent.

 private:
  [[nodiscard]] VariantBatch* findVariant(net::Variant variant) const;
  void dropUnusedVariants();
};

/// Groups by name, flushed once a turn. Used by the public Groups, and by the Channel server, where
/// events and groups are groups of links.
///
/// Finding a group takes constant time. Joining and leaving take time in the smaller of two
/// numbers: the members of the group and the groups of the connection. A turn costs nothing for
/// groups without messages.
class Registry final : net::GroupOutput {
 public:
  using NameHandler = std::function<void(std::string_view name)>;

  explicit Registry(EventLoop& loop);
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// Null if the group has no members.
  [[nodiscard]] Group* find(std::string_view name) const;
  /// False if the connection is a member already, or is closing. May call onFirstMember.
  bool join(net::ConnectionImpl& connection, std::string_view name);
  /// False if the connection is no member. May call onLastMember.
  bool leave(net::ConnectionImpl& connection, std::string_view name);
  [[nodiscard]] bool isMember(const net::ConnectionImpl& connection, const Group& group) const;
  [[nodiscard]] std::size_t size() const { return groups_.size(); }
  template <typename Visit>
  void forEachGroup(const Visit& visit) const {
    for (const auto& [name, group] : groups_) visit(*group);
  }
  /// Visits the groups of this registry of which the connection is a member.
  template <typename Visit>
  void forEachGroupOf(const net::ConnectionImpl& connection, const Visit& visit) const {
    for (const net::Membership& each : connection.memberships) {
      const Group& group = *static_cast<const Group*>(each.fanout);
      if (&group.registry == this) visit(group);
    }
  }
  /// The number of them.
  [[nodiscard]] std::size_t countOf(const net::ConnectionImpl& connection) const;

  /// Appends one message to the group's output of this turn, for all members but `except`.
  /// `write(Variant, Batch&, OutputOrder&)` encodes it, into about `bytes` bytes. It is called once
  /// for each variant that a member has, or once for each member where few small copies are cheaper
  /// than a shared batch. A member for which it is dropped misses `messages`.
  template <typename Write>
  void append(Group& group, std::size_t bytes, const Write& write,
              net::ConnectionImpl* except = nullptr, std::uint64_t messages = 1) {
    std::size_t receivers = 0;
    if (group.members.size() * (bytes + kCopyOverheadBytes) <= kCopiedBytesMax &&
        !group.hasOutput() && !group.isDroppable) {
      for (const Group::Member& member : group.members) {
        if (member.connection == except) continue;
        if (net::Batch* own = reactor_.output.ownBatchOfMember(*member.connection))
          write(member.variant, *own, reactor_.output.order());
        ++receivers;
      }
    } else {
      net::Batch* const excepted = except == nullptr ? nullptr : batchOfMember(group, *except);
      const std::size_t begin = excepted == nullptr ? 0 : excepted->size();
      group.forEachBatch([&](net::Variant variant, net::Batch& batch) {
        write(variant, batch, reactor_.output.order());
        batch.endUnit(messages);
      });
      markDirty(group);
      receivers = group.members.size();
      if (excepted != nullptr) {
        exclude(*excepted, *except, begin);
        --receivers;
      }
    }
    loop_.counters().messagesOut.add(receivers);
  }

  /// The same for any number of connections that do not get it, each given once.
  template <typename Write>
  void appendExcept(Group& group, const Write& write, Except except) {
    struct LeftOut {
      net::ConnectionImpl* member;
      net::Batch* batch;
      std::size_t begin;
    };
    std::vector<LeftOut> leftOut;
    for (net::ConnectionImpl* const each : except) {
      net::Batch* const batch = batchOfMember(group, *each);
      if (batch != nullptr) leftOut.push_back({each, batch, batch->size()});
    }
    group.forEachBatch([&](net::Variant variant, net::Batch& batch) {
      write(variant, batch, reactor_.output.order());
      batch.endUnit(1);
    });
    markDirty(group);
    for (const LeftOut& each : leftOut) exclude(*each.batch, *each.member, each.begin);
    loop_.counters().messagesOut.add(group.members.size() - leftOut.size());
  }

  /// For a message that some members do not get: the batch that this member gets, null if it is no
  /// member, and the exclusion of what it holds from `begin` on.
  [[nodiscard]] static net::Batch* batchOfMember(Group& group,
                                                 const net::ConnectionImpl& connection);
  static void exclude(net::Batch& batch, net::ConnectionImpl& connection, std::size_t begin);
  /// Null if it is closed.
  [[nodiscard]] net::ConnectionImpl* findConnection(Handle id) {
    return reactor_.connections.find(id.packed());
  }
  [[nodiscard]] LoopImpl& loop() { return loop_; }
  net::Output& output() { return reactor_.output; }

  /// False once its loop is destroyed: then the registry is empty and can only be destroyed.
  [[nodiscard]] bool hasLoop() const { return !lifetime_.expired(); }

  // Called when a group gets its first member or loses its last. An exception is logged.
  NameHandler onFirstMember;
  NameHandler onLastMember;
  /// The rule for slow members of a new group. Empty: none has one.
  std::function<std::shared_ptr<SlowGroup>(std::string_view name)> slowRuleOf;

 private:
  friend struct Group;
  /// Maximum bytes of all copies of one message together.
  static constexpr std::size_t kCopiedBytesMax = 512;
  /// The cost of one copy in addition to its bytes, counted as bytes.
  static constexpr std::size_t kCopyOverheadBytes = 16;

  void fanOut() override;
  void clearBatches() override;
  void flush(Group& group);
  void flushDroppable(Group& group);
  void markDirty(Group& group);
  void notify(const NameHandler& handler, std::string_view name);
  /// The group's index in ConnectionImpl::memberships, or kNone. Searches the shorter of both
  /// lists.
  [[nodiscard]] static std::size_t membershipOf(const net::ConnectionImpl& connection,
                                                const Group& group);
  static constexpr std::size_t kNone = ~std::size_t{0};
  void remove(Group& group, net::ConnectionImpl& connection, std::size_t membership);
  void retire(Group& group);

  net::Reactor& reactor_;
  std::weak_ptr<const void> lifetime_;
  LoopImpl& loop_;
  KeyedMap<std::string, std::unique_ptr<Group>> groups_;
  std::vector<Group*> dirty_;
  std::vector<std::unique_ptr<Group>> retired_;  // they had output when their last member left
};

}  // namespace stormo::group
