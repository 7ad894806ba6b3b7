#pragma once

#include <stormo/channel/server.h>

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "base/keyed_hash.h"
#include "channel/log/state_stream.h"
#include "channel/server/shared_queue.h"
#include "sys/shared_pool.h"

namespace stormo::channel {

/// The latest messages of the groups selected by the limits, for clients that reconnect. The limits
/// apply at each append(); nothing expires without a call. Times are those of records, in
/// milliseconds.
class History {
 public:
  explicit History(Server::History limits)
      : limits_(std::move(limits)), ageMax_(static_cast<std::uint64_t>(limits_.ageMax.count())) {}

  /// Appends an event of the group as a whole frame. `offset` is greater than all before.
  void append(std::string_view group, std::uint64_t offset, std::string_view event,
              std::uint64_t now);

  /// Appends the frames of all events of the group after `offset` to `out`, in order. Returns
  /// false, and appends nothing, if one of them was removed or may have been.
  [[nodiscard]] bool appendAfter(std::string_view group, std::uint64_t offset, std::uint64_t now,
                                 std::string& out) const;

  /// The same for all events of the group that are left.
  void appendAll(std::string_view group, std::uint64_t now, std::string& out) const;

  /// Forgets all events; they were in another epoch.
  void clear();

  void save(StateWriter& out) const;
  /// The memory of the events, which must be held while a forked child saves.
  [[nodiscard]] SharedPool& pool() { return *pool_; }
  /// Only on an empty history. The saved one may have had other limits. False if it cannot be read.
  [[nodiscard]] bool restore(StateReader& in);

  /// Bytes of all events.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Group {
    std::string name;
    SharedQueue events;           ///< The time and the frame of each event.
    std::size_t count = 0;        ///< Number of events.
    std::uint64_t last = 0;       ///< Offset of the latest event.
    std::uint64_t forgotten = 0;  ///< Offset of the latest removed event.
    std::uint64_t lastTime = 0;
  };
  using Groups = std::list<Group>;

  [[nodiscard]] bool isKept(std::string_view name) const;
  /// The group, moved to the end of active_; null if it has no history.
  Group* groupFor(std::string_view name);
  /// False if these are not whole events of a group.
  [[nodiscard]] bool restoreEvents(Group& group, std::string_view events);
  void forgetFirst(Group& group);
  void forgetAll(Group& group);
  /// Removes the events above the limits of one group.
  void trim(Group& group, std::uint64_t now);
  /// Removes the events above the limits of all groups.
  void trimAll(std::uint64_t now);
  void becomeSilent(Groups::iterator group);
  [[nodiscard]] bool isOld(std::uint64_t time, std::uint64_t now) const {
    return now > time + ageMax_;
  }

  Server::History limits_;
  std::uint64_t ageMax_;
  std::size_t bytes_ = 0;
  std::unique_ptr<SharedPool> pool_ = std::make_unique<SharedPool>();
  // Groups with events, and groups of which only the offsets are kept; both in the order of the
  // groups' latest events.
  Groups active_;
  Groups silent_;
  KeyedMap<std::string_view, Groups::iterator> byName_;
  std::uint64_t forgotten_ = 0;  // offset of the latest event of all groups removed from silent_
  mutable KeyedMap<std::string, bool> verdicts_;  // results of isKept(), at most kVerdictsMax
};

}  // namespace stormo::channel
