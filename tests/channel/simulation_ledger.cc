#include "channel/simulation_ledger.h"

#include <algorithm>
#include <cstdio>
#include <functional>

namespace stormo::channel {

std::size_t SimulationLedger::begin(Numbers groups, bool isFirst) {
  lives_.push_back({.isFirst = isFirst, .groups = std::move(groups)});
  return lives_.size() - 1;
}

void SimulationLedger::missed(std::size_t life) {
  lives_[life].heard.clear();
  lives_[life].isFirst = false;
}

std::string SimulationLedger::publish(std::size_t life, std::size_t group) {
  Numbers& published = lives_[life].published;
  published.push_back(group);
  return std::to_string(life) + ":" + std::to_string(published.size() - 1);
}

void SimulationLedger::hear(std::size_t life, std::string_view group, std::string_view text) {
  std::size_t sender = 0;
  std::size_t number = 0;
  std::sscanf(std::string(text).c_str(), "%zu:%zu", &sender, &number);
  if (std::to_string(lives_.at(sender).published.at(number)) != group) {
    inWrongGroup_ = "a message in the wrong group\n";
  }
  lives_[life].heard[sender].push_back(number);
  ++heardCount_;
}

std::string SimulationLedger::complaint() const {
  std::string complaint = inWrongGroup_;
  for (std::size_t receiver = 0; receiver < lives_.size(); ++receiver) {
    if (lives_[receiver].isOver) continue;
    for (std::size_t sender = 0; sender < lives_.size(); ++sender) {
      complaint += compare(receiver, sender);
    }
  }
  return complaint;
}

/// What a receiver heard of a sender is in order, and all of what was sent to its groups if it was
/// there from the beginning; if it came later, from some message of each group on, as it subscribes
/// to one after the other. The end may be missing of a sender that has died.
std::string SimulationLedger::compare(std::size_t receiver, std::size_t sender) const {
  const Life& to = lives_[receiver];
  const auto found = to.heard.find(sender);
  const Numbers heard = found == to.heard.end() ? Numbers{} : found->second;
  const bool inOrder = std::ranges::adjacent_find(heard, std::greater_equal{}) == heard.end();
  bool isWhole = true;
  for (const std::size_t group : to.groups) {
    isWhole &= isStretch(lives_[sender], group, heard, to.isFirst);
  }
  if (inOrder && isWhole) return {};
  return "life " + std::to_string(receiver) + " heard of life " + std::to_string(sender) + ":" +
         inWords(heard) + "\n   of the groups:" + inWords(to.groups) +
         "\n   but was sent to groups:" + inWords(lives_[sender].published) + "\n";
}

bool SimulationLedger::isStretch(const Life& sender, std::size_t group, const Numbers& heardOfAll,
                                 bool fromBeginning) {
  Numbers sent;
  for (std::size_t i = 0; i < sender.published.size(); ++i) {
    if (sender.published[i] == group) sent.push_back(i);
  }
  Numbers heard = heardOfAll;
  std::erase_if(heard, [&](std::size_t number) { return sender.published[number] != group; });
  if (heard.empty()) return sent.empty() || sender.isOver || !fromBeginning;
  const auto place = std::ranges::search(sent, heard);
  if (place.empty() || (fromBeginning && place.begin() != sent.begin())) return false;
  return sender.isOver || place.end() == sent.end();
}

std::string SimulationLedger::inWords(const Numbers& numbers) {
  std::string words;
  for (const std::size_t number : numbers) words += " " + std::to_string(number);
  return words;
}

}  // namespace stormo::channel
