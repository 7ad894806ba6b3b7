#pragma once

#include <stormo/connection.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

namespace stormo {

/// The groups of one worker process: named sets of its connections. What is sent to a group is
/// encoded once, and leaves in this turn with one call for each member.
///
/// Groups live on the thread that first uses them; declare them before Worker::runAll() and every
/// worker process has its own. To reach members in other processes, publish through
/// channel::Client. A group exists while it has members; a connection that closes leaves its groups
/// by itself.
class Groups {
 public:
  Groups();
  ~Groups();
  Groups(const Groups&) = delete;
  Groups& operator=(const Groups&) = delete;

  /// False if it was a member already, or is closing. Throws std::logic_error if the members speak
  /// another protocol: what is sent to a group is encoded once.
  bool join(Connection& connection, std::string_view name);
  /// False if it was none. What was sent to the group before still arrives.
  bool leave(Connection& connection, std::string_view name);

  /// To all members; gives how many there are. A member that does not drain, and has more than
  /// Worker::maxSendBufferSize bytes waiting, is disconnected: nobody misses messages unknowingly.
  std::size_t send(std::string_view name, Message message);
  /// To all members but one.
  std::size_t sendExcept(std::string_view name, Message message, const Connection& except);

  [[nodiscard]] bool isMember(const Connection& connection, std::string_view name) const;
  [[nodiscard]] std::size_t memberCount(std::string_view name) const;
  [[nodiscard]] std::size_t groupCount() const;
  /// How many of these groups the connection is in.
  [[nodiscard]] std::size_t groupCount(const Connection& connection) const;

  /// Visits the members; `visit` must not join, leave or close.
  void forEachMember(std::string_view name, const std::function<void(Connection&)>& visit) const;

  /// Called when a group begins to exist, and when its last member has left: for whoever subscribes
  /// somewhere on its behalf. Must not join or leave.
  std::function<void(std::string_view name)> onFirstMember;
  std::function<void(std::string_view name)> onLastMember;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stormo
