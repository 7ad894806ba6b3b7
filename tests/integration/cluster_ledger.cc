#include "integration/cluster_ledger.h"

#include <fmt/format.h>

#include <cstdio>
#include <optional>
#include <utility>

namespace stormo::integration {
namespace {

struct Name {
  std::size_t sender;
  std::uint64_t number;
};

std::optional<Name> nameIn(std::string_view text, std::size_t senders) {
  Name name{};
  const bool isName =
      std::sscanf(std::string(text).c_str(), "%zu:%lu", &name.sender, &name.number) == 2;
  if (!isName || name.sender >= senders) return std::nullopt;
  return name;
}

}  // namespace

ClusterLedger::Member ClusterLedger::join(std::size_t group) {
  records_.push_back({.group = group});
  groups_[group].members.push_back(records_.size() - 1);
  return records_.size() - 1;
}

std::string ClusterLedger::nextMessage(Member sender) {
  ++sentCount_;
  return fmt::format("{}:{}", sender, ++records_[sender].sent);
}

void ClusterLedger::acknowledged(std::string_view text) {
  if (const auto name = nameIn(text, records_.size())) ++records_[name->sender].acknowledged;
}

void ClusterLedger::complain(std::string line) {
  if (wrong_.size() < kLinesMax) wrong_.push_back(std::move(line));
}

void ClusterLedger::received(Member receiver, std::uint64_t offset, std::string_view text) {
  ++receivedCount_;
  Record& record = records_[receiver];
  Group& group = groups_.at(record.group);
  Entry entry{.offset = offset, .text = std::string(text)};
  const std::size_t place = record.received++;
  if (place == group.sequence.size()) return append(receiver, group, std::move(entry));
  const Entry& expected = group.sequence[place];
  if (entry == expected) return;
  complain(fmt::format("member {} got '{}' at {}, in the place of '{}' at {}", receiver, text,
                       offset, expected.text, expected.offset));
}

void ClusterLedger::append(Member receiver, Group& group, Entry entry) {
  const auto name = nameIn(entry.text, records_.size());
  if (!name || records_[name->sender].group != records_[receiver].group) {
    return complain(
        fmt::format("member {} got '{}', which nobody sent to its group", receiver, entry.text));
  }
  std::uint64_t& seen = records_[name->sender].seen;
  if (name->number != seen + 1) {
    complain(
        fmt::format("member {} got '{}' at {} after {}", receiver, entry.text, entry.offset, seen));
  }
  if (!group.sequence.empty() && group.sequence.back().offset >= entry.offset) {
    complain(fmt::format("member {} got '{}' at {}, after offset {}", receiver, entry.text,
                         entry.offset, group.sequence.back().offset));
  }
  seen = name->number;
  group.sequence.push_back(std::move(entry));
}

ClusterLedger::Mark ClusterLedger::mark() const {
  Mark mark;
  for (const Record& record : records_) mark.sent.push_back(record.sent);
  return mark;
}

bool ClusterLedger::hasArrived(Mark& mark) const {
  for (const auto& [number, group] : groups_) {
    auto end = mark.end.find(number);
    if (end == mark.end.end()) {
      for (const Member member : group.members) {
        const Record& record = records_[member];
        if (record.seen < mark.sent[member] || record.acknowledged < mark.sent[member]) {
          return false;
        }
      }
      end = mark.end.emplace(number, group.sequence.size()).first;
    }
    for (const Member member : group.members) {
      if (records_[member].received < end->second) return false;
    }
  }
  return true;
}

std::vector<std::string> ClusterLedger::missing() const {
  std::vector<std::string> lines;
  for (Member member = 0; member < records_.size() && lines.size() < kLinesMax; ++member) {
    const Record& record = records_[member];
    const std::size_t all = groups_.at(record.group).sequence.size();
    if (record.received == all && record.seen == record.sent &&
        record.acknowledged == record.sent) {
      continue;
    }
    lines.push_back(fmt::format(
        "member {} of group {}: received {} of {}; of its {} messages {} are "
        "acknowledged, {} received by anybody",
        member, record.group, record.received, all, record.sent, record.acknowledged, record.seen));
  }
  return lines;
}

}  // namespace stormo::integration
