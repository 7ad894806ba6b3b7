#pragma once

#include <stormo/channel/server.h>

#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "base/byte_queue.h"
#include "base/keyed_hash.h"
#include "channel/server/state_file.h"
#include "sys/clock.h"

namespace stormo::channel {

/// What was said in groups lately, for clients that were away. Of which groups, and how much, the
/// limits say; they hold after each append(), while time alone frees nothing.
class History {
 public:
  explicit History(Server::History limits) : limits_(std::move(limits)) {}

  /// That event was said in the group: its whole frame. `offset` is greater than all before.
  void append(std::string_view group, std::uint64_t offset, std::string_view event, TimePoint now);

  /// Appends the frames of all events of the group after `offset`, in order. False, and nothing is
  /// appended, if one of them is no longer here, or may be.
  [[nodiscard]] bool requestHistory(std::string_view group, std::uint64_t offset, TimePoint now,
                                    std::string& out);

  void save(StateWriter& state) const;
  /// Into an empty history; of other limits, perhaps.
  void load(StateReader& state, TimePoint now);

  /// Of all events that are here.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Group {
    std::string name;
    ByteQueue events;             ///< Each is its time and its frame.
    std::size_t count = 0;        ///< Of these.
    std::uint64_t last = 0;       ///< The offset of the latest event.
    std::uint64_t forgotten = 0;  ///< The offset of the latest one that is no longer here.
    TimePoint lastTime{};
  };
  using Groups = std::list<Group>;

  [[nodiscard]] bool isKept(std::string_view name);
  /// The group, now the latest of those with events; none if it is not to be kept.
  Group* groupFor(std::string_view name);
  void addEvent(Group& group, std::string_view event, TimePoint time);
  void forgetFirst(Group& group);
  void forgetAll(Group& group);
  /// What is beyond the limits of one group.
  void trim(Group& group, TimePoint now);
  /// What is beyond the limits of all groups.
  void trimAll(TimePoint now);
  void becomeSilent(Groups::iterator group);

  const Server::History limits_;
  std::size_t bytes_ = 0;
  // Both in the order of the groups' latest events: those of which events are here, and those of
  // which it is only known how far they have got.
  Groups spoken_;
  Groups silent_;
  KeyedMap<std::string_view, Groups::iterator> byName_;
  std::uint64_t forgotten_ = 0;  // the latest event of a group that is no longer known at all
  KeyedMap<std::string, bool> verdicts_;  // what isKept() has found out, bounded
  std::string scratch_;
};

}  // namespace stormo::channel
