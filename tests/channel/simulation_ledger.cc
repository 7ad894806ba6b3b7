#include "channel/simulation_ledger.h"

#include <algorithm>
#include <cstdio>
#include <functional>

namespace stormo::channel {

std::size_t SimulationLedger::begin(Numbers groups, bool isFirst) {
  participants_.push_back({.isFirst = isFirst, .groups = std::move(groups)});
  return participants_.size() - 1;
}

void SimulationLedger::missed(std::size_t participant) {
  participants_[participant].received.clear();
  participants_[participant].isFirst = false;
}

std::string SimulationLedger::publish(std::size_t participant, std::size_t group) {
  Numbers& published = participants_[participant].published;
  published.push_back(group);
  return std::to_string(participant) + ":" + std::to_string(published.size() - 1);
}

void SimulationLedger::receive(std::size_t participant, std::string_view group,
                               std::string_view text) {
  std::size_t sender = 0;
  std::size_t number = 0;
  std::sscanf(std::string(text).c_str(), "%zu:%zu", &sender, &number);
  if (std::to_string(participants_.at(sender).published.at(number)) != group) {
    inWrongGroup_ = "a message in the wrong group\n";
  }
  participants_[participant].received[sender].push_back(number);
  ++receivedCount_;
}

std::string SimulationLedger::error() const {
  std::string error = inWrongGroup_;
  for (std::size_t receiver = 0; receiver < participants_.size(); ++receiver) {
    if (participants_[receiver].hasEnded) continue;
    for (std::size_t sender = 0; sender < participants_.size(); ++sender) {
      error += compare(receiver, sender);
    }
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
