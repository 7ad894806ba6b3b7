#pragma once

#include <stormo/channel/messages.h>
#include <stormo/connection.h>
#include <stormo/slow_policy.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stormo {

class Channel;

/// Named sets of connections: clients join groups, and a message to a group reaches all its
/// members. It is encoded once, and leaves in this turn with one system call for each member.
///
///     Channel channel;
///     Groups groups(channel);
///     worker.onWorkerStart = [&](Worker&) { channel.connect(); };
///     …
///     groups.join(connection, "room");
///     if (groups.publish("room", "hello") != PublishStatus::Accepted) …
///
/// Groups that are attached to a Channel have members in all processes, and publish() reaches all
/// of them. After a gap (Channel::onGap) all members of this process are closed with 1012: they
/// must not miss messages without noticing. send() reaches the members of one process, with or
/// without a Channel.
///
/// Declare it before Worker::runAll(), and every worker process has its own members. It belongs to
/// the thread that first lets a connection join. A group exists while it has members; a connection
/// that closes leaves its groups automatically.
class Groups {
 public:
  /// For one process.
  Groups();
  /// For all processes on that Channel, which must outlive this.
  explicit Groups(Channel& channel);
  ~Groups();
  Groups(const Groups&) = delete;
  Groups& operator=(const Groups&) = delete;

  /// A group of several processes has a name of 1 to 255 bytes.
  [[nodiscard]] static bool isName(std::string_view name) {
    return !name.empty() && name.size() <= 255;
  }

  /// What a member is sent in the place of `count` messages of that group that were dropped for it,
  /// or, with SlowRule::every, replaced by the next one. Empty: nothing. It must not call join,
  /// leave or close.
  using MissedMessage = std::function<std::string(std::string_view group, std::uint64_t count)>;
  /// What happens to messages for members that do not drain; the first rule whose pattern matches a
  /// group's name applies. Without one, and without rules, it is SlowPolicy::Disconnect.
  ///
  ///     groups.setSlowRules({{"ticker.*", SlowPolicy::Latest, 100ms}, {"log.*",
  ///     SlowPolicy::DropOldest}});
  ///
  /// Messages are dropped whole, before they are encrypted, and the order of the others does not
  /// change (docs/delivery.md). Throws std::invalid_argument for more than 32 rules, an empty
  /// pattern, or `every` without Latest, and std::logic_error once a connection has joined.
  void setSlowRules(std::vector<SlowRule> rules, MissedMessage missed = {});

  /// Returns false if the connection was a member already, or is closing. Throws std::logic_error
  /// if the members have another protocol: a message to a group is encoded once; and for a
  /// connection of HTTP. Throws std::invalid_argument, with a Channel, if the name is none.
  bool join(Connection& connection, std::string_view name);
  /// Returns false if it was no member. Messages sent to the group before still arrive.
  bool leave(Connection& connection, std::string_view name);

  /// Sends to all members, in all processes: exactly once, and in one order for all of them, as far
  /// as the Channel's dialect promises it. The members of this process receive the message when it
  /// comes back from the Channel, never inside this call. Throws std::logic_error without a
  /// Channel, or before its connect().
  PublishStatus publish(std::string_view name, Message message);

  /// Sends to all members of this process, and returns how many there are. A member that does not
  /// drain, and has more than Worker::maxSendBufferSize bytes queued, is closed with 1013, or
  /// misses messages as setSlowRules() states: nobody misses messages without noticing.
  std::size_t send(std::string_view name, Message message);
  /// The same, to all members but one, or but these. Those that are no members do not matter.
  std::size_t sendExcept(std::string_view name, Message message, const Connection& except);
  std::size_t sendExcept(std::string_view name, Message message,
                         std::span<Connection* const> except);

  // All of these count and visit the members of this process.

  [[nodiscard]] bool isMember(const Connection& connection, std::string_view name) const;
  [[nodiscard]] std::size_t memberCount(std::string_view name) const;
  [[nodiscard]] std::size_t groupCount() const;
  /// Number of these groups that the connection is a member of.
  [[nodiscard]] std::size_t groupCount(const Connection& connection) const;
  /// Visits the members. `visit` must not call join, leave or close.
  void forEachMember(std::string_view name, const std::function<void(Connection&)>& visit) const;
  /// Visits the groups, in no order. `visit` must not call join, leave or close.
  void forEachGroup(
      const std::function<void(std::string_view name, std::size_t members)>& visit) const;
  /// The names of the groups that the connection is a member of, in no order.
  [[nodiscard]] std::vector<std::string> groupsOf(const Connection& connection) const;

  /// A group got its first member in this process, or lost its last one. They must not call join or
  /// leave.
  std::function<void(std::string_view name)> onFirstMember;
  std::function<void(std::string_view name)> onLastMember;

 private:
  friend class ChannelOfGroups;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stormo
