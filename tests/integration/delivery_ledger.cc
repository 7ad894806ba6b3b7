#include "integration/delivery_ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <unordered_map>

namespace stormo::integration {

DeliveryLedger::Member DeliveryLedger::join(std::size_t group) {
  const Member member = records_.size();
  Record& record = records_.emplace_back(Record{.group = group});
  for (const Member other : groups_[group]) record.sentBefore[other] = records_[other].sent;
  groups_[group].push_back(member);
  return member;
}

std::string DeliveryLedger::nextMessage(Member sender) {
  return fmt::format("{}:{}", sender, ++records_[sender].sent);
}

void DeliveryLedger::received(Member receiver, std::string_view text) {
  Member sender = 0;
  std::uint64_t number = 0;
  const auto complain = [&](const std::string& what) {
    if (wrong_.size() < kLinesMax) {
      wrong_.push_back(fmt::format("member {} got '{}', {}", receiver, text, what));
    }
  };
  if (std::sscanf(std::string(text).c_str(), "%zu:%lu", &sender, &number) != 2 ||
      sender >= records_.size()) {
    return complain("which nobody sent");
  }
  ++receivedCount_;
  Record& record = records_[receiver];
  if (records_[sender].group != record.group) return complain("of another group");
  const auto [last, isFirst] = record.received.try_emplace(sender, 0);
  // Messages in flight when it joined may arrive or not.
  const std::uint64_t before = isFirst ? record.sentBefore[sender] : 0;
  const bool fits = isFirst ? number <= before + 1 : number == last->second + 1;
  if (!fits) {
    complain(isFirst ? fmt::format("though {} were sent before it joined", before)
                     : fmt::format("after {}", last->second));
  }
  last->second = number;
  record.sequence.push_back(std::uint64_t{sender} << 32 | number);
}

std::vector<std::string> DeliveryLedger::missing() const {
  std::vector<std::string> lines;
  for (Member receiver = 0; receiver < records_.size(); ++receiver) {
    const Record& record = records_[receiver];
    if (!record.isConnected) continue;
    for (const Member sender : groups_.at(record.group)) {
      const Record& sent = records_[sender];
      const auto before = record.sentBefore.find(sender);
      const auto last = record.received.find(sender);
      const std::uint64_t known = last != record.received.end()       ? last->second
                                  : before != record.sentBefore.end() ? before->second
                                                                      : 0;
      if (!sent.isConnected || known >= sent.sent) continue;
      lines.push_back(fmt::format("member {} lacks {} to {} of member {}, group {}", receiver,
                                  known + 1, sent.sent, sender, record.group));
      if (lines.size() == kLinesMax) return lines;
    }
  }
  return lines;
}

std::vector<std::string> DeliveryLedger::withoutOneOrder() const {
  // The next message of the order is one that is the next of all members that received it.
  struct Place {
    std::size_t receivers = 0;
    std::vector<Member> waiting;  // members whose next message it is
  };
  std::vector<std::string> lines;
  for (const auto& [group, members] : groups_) {
    std::unordered_map<Message, Place> places;
    for (const Member member : members) {
      for (const Message message : records_[member].sequence) ++places[message].receivers;
    }
    std::unordered_map<Member, std::size_t> begun;
    std::vector<Member> advancing = members;
    while (!advancing.empty()) {
      const Member member = advancing.back();
      advancing.pop_back();
      const auto& sequence = records_[member].sequence;
      const std::size_t next = begun[member]++;
      if (next == sequence.size()) continue;
      Place& place = places.at(sequence[next]);
      place.waiting.push_back(member);
      if (place.waiting.size() < place.receivers) continue;
      advancing.insert(advancing.end(), place.waiting.begin(), place.waiting.end());
    }
    const auto stuck = std::ranges::find_if(members, [&](const Member member) {
      return begun[member] <= records_[member].sequence.size();
    });
    if (stuck == members.end()) continue;
    const Message next = records_[*stuck].sequence[begun[*stuck] - 1];
    lines.push_back(
        fmt::format("group {}: member {} got '{}:{}' before a message that others got "
                    "before it",
                    group, *stuck, next >> 32, next & 0xffffffff));
  }
  return lines;
}

}  // namespace stormo::integration
