#include "channel/simulation_ledger.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <set>

namespace stormo::channel {

std::size_t SimulationLedger::begin(Numbers groups, bool isFirst) {
  participants_.push_back({.isFirst = isFirst, .groups = std::move(groups)});
  return participants_.size() - 1;
}

void SimulationLedger::missed(std::size_t participant) {
  participants_[participant].received.clear();
  participants_[participant].isFirst = false;
}

std::string SimulationLedger::publish(std::size_t participant, std::size_t group,
                                      std::size_t spaces) {
  Participant& sender = participants_[participant];
  sender.texts.push_back(std::to_string(participant) + ":" +
                         std::to_string(sender.published.size()) + std::string(spaces, ' '));
  sender.published.push_back(group);
  return sender.texts.back();
}

void SimulationLedger::loseRecords() {
  for (Participant& each : participants_) each.mayBeLost = each.published.size();
}

void SimulationLedger::receive(std::size_t participant, std::uint64_t epoch, std::string_view group,
                               std::string_view text) {
  std::size_t sender = 0;
  std::size_t number = 0;
  std::sscanf(std::string(text).c_str(), "%zu:%zu", &sender, &number);
  const Participant& from = participants_.at(sender);
  if (number >= from.texts.size() || from.texts[number] != text) {
    wrongMessages_ += "a message that nobody has sent\n";
    return;
  }
  if (std::to_string(from.published[number]) != group) {
    wrongMessages_ += "a message in the wrong group\n";
  }
  participants_[participant].received[sender].push_back(number);
  participants_[participant].inOrder[epoch].emplace_back(sender, number);
  ++receivedCount_;
}

std::string SimulationLedger::error() const {
  std::string error = wrongMessages_;
  for (std::size_t receiver = 0; receiver < participants_.size(); ++receiver) {
    if (participants_[receiver].hasEnded) continue;
    for (std::size_t sender = 0; sender < participants_.size(); ++sender) {
      error += compare(receiver, sender);
    }
  }
  std::set<std::uint64_t> epochs;
  for (const Participant& each : participants_) {
    for (const auto& [epoch, messages] : each.inOrder) epochs.insert(epoch);
  }
  for (const std::uint64_t epoch : epochs) error += compareOrders(epoch);
  return error;
}

/// All participants have received the messages of one epoch, of all groups, in one order: if each
/// receives one after the other, no message comes before itself.
std::string SimulationLedger::compareOrders(std::uint64_t epoch) const {
  std::map<MessageId, std::vector<MessageId>> next;
  std::map<MessageId, std::size_t> before;
  for (const Participant& each : participants_) {
    const auto found = each.inOrder.find(epoch);
    if (found == each.inOrder.end()) continue;
    const std::vector<MessageId>& messages = found->second;
    for (std::size_t i = 0; i < messages.size(); ++i) {
      before.try_emplace(messages[i], 0);
      if (i == 0) continue;
      next[messages[i - 1]].push_back(messages[i]);
      ++before[messages[i]];
    }
  }
  std::vector<MessageId> first;
  for (const auto& [message, count] : before) {
    if (count == 0) first.push_back(message);
  }
  while (!first.empty()) {
    const MessageId message = first.back();
    first.pop_back();
    before.erase(message);
    for (const MessageId& follower : next[message]) {
      if (--before[follower] == 0) first.push_back(follower);
    }
  }
  if (before.empty()) return {};
  std::string error = "participants received in different orders:\n";
  for (std::size_t i = 0; i < participants_.size(); ++i) {
    const auto found = participants_[i].inOrder.find(epoch);
    if (found == participants_[i].inOrder.end()) continue;
    error += "   participant " + std::to_string(i) + ":";
    for (const MessageId& message : found->second) {
      if (!before.contains(message)) continue;
      error += " " + std::to_string(message.first) + ":" + std::to_string(message.second);
    }
    error += "\n";
  }
  return error;
}

/// Messages from one sender are received in order, and completely since the beginning if the
/// receiver was there; otherwise completely since some message of each group, because it subscribes
/// to one group after the other. If the sender has died, the last ones may be missing.
std::string SimulationLedger::compare(std::size_t receiver, std::size_t sender) const {
  const Participant& to = participants_[receiver];
  const auto found = to.received.find(sender);
  const Numbers received = found == to.received.end() ? Numbers{} : found->second;
  const bool inOrder = std::ranges::adjacent_find(received, std::greater_equal{}) == received.end();
  bool isWhole = true;
  for (const std::size_t group : to.groups) {
    isWhole &= isContiguous(participants_[sender], group, received, to.isFirst);
  }
  if (inOrder && isWhole) return {};
  return "participant " + std::to_string(receiver) + " received from participant " +
         std::to_string(sender) + ":" + textOf(received) +
         "\n   of the groups:" + textOf(to.groups) +
         "\n   but it published to groups:" + textOf(participants_[sender].published) + "\n";
}

bool SimulationLedger::isContiguous(const Participant& sender, std::size_t group,
                                    const Numbers& receivedOfAll, bool fromBeginning) {
  Numbers sent;
  for (std::size_t i = 0; i < sender.published.size(); ++i) {
    if (sender.published[i] == group) sent.push_back(i);
  }
  Numbers received = receivedOfAll;
  std::erase_if(received, [&](std::size_t number) { return sender.published[number] != group; });
  std::erase_if(sent, [&](std::size_t number) {
    return number < sender.mayBeLost && !std::ranges::binary_search(received, number);
  });
  if (received.empty()) return sent.empty() || sender.hasEnded || !fromBeginning;
  const auto place = std::ranges::search(sent, received);
  if (place.empty() || (fromBeginning && place.begin() != sent.begin())) return false;
  return sender.hasEnded || place.end() == sent.end();
}

std::string SimulationLedger::textOf(const Numbers& numbers) {
  std::string text;
  for (const std::size_t number : numbers) text += " " + std::to_string(number);
  return text;
}

}  // namespace stormo::channel
