#include "channel/server/history.h"

#include <stormo/audience.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/name_pattern.h"
#include "protocol/channel/packet.h"
#include "protocol/package/frame.h"

namespace stormo::channel {
namespace {

// The offsets of silent groups are kept, so that a client that missed nothing does not get a gap.
constexpr std::size_t kSilentGroupsMax = 100'000;

// Above this number all cached results of isKept() are dropped.
constexpr std::size_t kVerdictsMax = 100'000;

constexpr std::size_t kTimeBytes = sizeof(std::uint64_t);

/// The first event of a group: its time and its frame.
struct Entry {
  std::uint64_t time;
  std::string_view frame;
  std::size_t bytes;
};

Entry firstOf(std::string_view events) {
  Entry first{};
  first.time = loadBigEndian<std::uint64_t>(events.data());
  events.remove_prefix(kTimeBytes);
  first.frame = firstFrame(events);
  first.bytes = kTimeBytes + first.frame.size();
  return first;
}

template <typename Visit>
void forEachEntry(std::string_view events, const Visit& visit) {
  while (!events.empty()) {
    const Entry first = firstOf(events);
    visit(first);
    events.remove_prefix(first.bytes);
  }
}

}  // namespace

bool History::isKept(std::string_view name) const {
  if (limits_.groups.empty()) return false;
  if (isReservedName(name) && Audience::ofName(name)) return true;  // of a user, or everybody
  if (const auto known = verdicts_.find(name); known != verdicts_.end()) return known->second;
  const bool isKept = std::ranges::any_of(
      limits_.groups, [&](const std::string& pattern) { return matchesPattern(pattern, name); });
  if (verdicts_.size() >= kVerdictsMax) verdicts_.clear();
  verdicts_.emplace(name, isKept);
  return isKept;
}

History::Group* History::groupFor(std::string_view name) {
  const auto known = byName_.find(name);
  if (known != byName_.end()) {
    Groups& where = known->second->count == 0 ? silent_ : active_;
    active_.splice(active_.end(), where, known->second);
    return &*known->second;
  }
  if (!isKept(name)) return nullptr;
  Group& group = active_.emplace_back();
  group.name = name;
  group.forgotten = forgotten_;  // it may be one of the groups removed from silent_
  byName_.emplace(group.name, std::prev(active_.end()));
  return &group;
}

void History::append(std::string_view name, std::uint64_t offset, std::string_view event,
                     std::uint64_t now) {
  Group* group = limits_.groups.empty() ? nullptr : groupFor(name);
  if (group == nullptr) return;
  const std::size_t bytes = kTimeBytes + event.size();
  char* const begin = group->events.extend(bytes, *pool_);
  storeBigEndian(begin, now);
  event.copy(begin + kTimeBytes, event.size());
  bytes_ += bytes;
  ++group->count;
  group->lastTime = now;
  group->last = offset;
  trim(*group, now);
  if (group->count == 0) becomeSilent(std::prev(active_.end()));
  trimAll(now);
}

bool History::appendAfter(std::string_view name, std::uint64_t offset, std::uint64_t now,
                          std::string& out) const {
  const auto known = byName_.find(name);
  if (known == byName_.end()) return offset >= forgotten_ && isKept(name);
  const Group& group = *known->second;
  const std::size_t begin = out.size();
  std::uint64_t forgotten = group.forgotten;
  forEachEntry(group.events.all(), [&](const Entry& entry) {
    if (isOld(entry.time, now)) {
      forgotten = writtenOffset(entry.frame);
    } else if (writtenOffset(entry.frame) > offset) {
      out.append(entry.frame);
    }
  });
  if (offset >= forgotten) return true;
  out.resize(begin);
  return false;
}

void History::appendAll(std::string_view name, std::uint64_t now, std::string& out) const {
  const auto known = byName_.find(name);
  if (known == byName_.end()) return;
  forEachEntry(known->second->events.all(), [&](const Entry& entry) {
    if (!isOld(entry.time, now)) out.append(entry.frame);
  });
}

void History::save(StateWriter& out) const {
  out.number(forgotten_);
  for (const Groups* groups : {&silent_, &active_}) {
    out.number(groups->size());
    for (const Group& group : *groups) {
      out.bytes(group.name);
      out.number(group.last);
      out.number(group.forgotten);
      out.bytes(group.events.all());
    }
  }
}

bool History::restore(StateReader& in) {
  forgotten_ = in.number();
  for (Groups* groups : {&silent_, &active_}) {
    for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left) {
      Group& group = groups->emplace_back();
      group.name = in.bytes();
      group.last = in.number();
      group.forgotten = in.number();
      byName_.emplace(group.name, std::prev(groups->end()));
      if (!restoreEvents(group, in.bytes())) return false;
    }
  }
  for (auto group = active_.begin(); group != active_.end();) {
    const auto next = std::next(group);
    if (!isKept(group->name)) forgetAll(*group);
    trim(*group, group->lastTime);
    if (group->count == 0) becomeSilent(group);
    group = next;
  }
  return in.ok();
}

bool History::restoreEvents(Group& group, std::string_view events) {
  for (std::string_view rest = events; !rest.empty(); ++group.count) {
    if (rest.size() < kTimeBytes) return false;
    const PackageLength frame = frameLength(rest.substr(kTimeBytes), rest.size() - kTimeBytes);
    if (frame.verdict != PackageLength::Verdict::Complete) return false;
    const Entry first = firstOf(rest);
    Packet event;
    if (decode(framePayload(first.frame), event) != Decode::Ok || event.kind != Kind::Event)
      return false;
    group.lastTime = first.time;
    rest.remove_prefix(first.bytes);
  }
  if (!events.empty()) events.copy(group.events.extend(events.size(), *pool_), events.size());
  bytes_ += events.size();
  return true;
}

void History::clear() {
  while (!active_.empty()) {
    forgetAll(active_.front());
    becomeSilent(active_.begin());
  }
}

void History::forgetAll(Group& group) {
  bytes_ -= group.events.size();
  group.events.clear(*pool_);
  group.count = 0;
  group.forgotten = group.last;
}

void History::forgetFirst(Group& group) {
  const Entry first = firstOf(group.events.all());
  group.forgotten = writtenOffset(first.frame);
  bytes_ -= first.bytes;
  --group.count;
  group.events.removePrefix(first.bytes);
}

void History::trim(Group& group, std::uint64_t now) {
  const auto isBeyond = [&] {
    return group.count > limits_.messagesMax || group.events.size() > limits_.bytesMax ||
           isOld(firstOf(group.events.all()).time, now);
  };
  while (group.count > 0 && isBeyond()) forgetFirst(group);
}

void History::trimAll(std::uint64_t now) {
  while (!active_.empty()) {
    Group& oldest = active_.front();
    const bool isExpired = isOld(oldest.lastTime, now);
    if (!isExpired && bytes_ <= limits_.totalBytesMax) return;
    if (isExpired || active_.size() > 1) {
      forgetAll(oldest);
    } else {
      forgetFirst(oldest);
    }
    if (oldest.count == 0) becomeSilent(active_.begin());
  }
}

void History::becomeSilent(Groups::iterator group) {
  group->events.clear(*pool_);
  silent_.splice(silent_.end(), active_, group);
  if (silent_.size() <= kSilentGroupsMax) return;
  forgotten_ = std::max(forgotten_, silent_.front().last);
  byName_.erase(silent_.front().name);
  silent_.pop_front();
}

}  // namespace stormo::channel
