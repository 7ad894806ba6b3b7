#include "integration/delivery_ledger.h"

#include <fmt/format.h>

#include <cstdio>

namespace stormo::integration {

DeliveryLedger::Party DeliveryLedger::enter(std::size_t group) {
  const Party party = books_.size();
  Book& book = books_.emplace_back(Book{.group = group});
  for (const Party other : membersOf_[group]) book.sentBefore[other] = books_[other].sent;
  membersOf_[group].push_back(party);
  return party;
}

std::string DeliveryLedger::nextMessage(Party sender) {
  return fmt::format("{}:{}", sender, ++books_[sender].sent);
}

void DeliveryLedger::received(Party receiver, std::string_view text) {
  Party sender = 0;
  std::uint64_t number = 0;
  const auto complain = [&](const std::string& what) {
    if (wrong_.size() < kLinesMax) {
      wrong_.push_back(fmt::format("party {} got '{}', {}", receiver, text, what));
    }
  };
  if (std::sscanf(std::string(text).c_str(), "%zu:%lu", &sender, &number) != 2 ||
      sender >= books_.size()) {
    return complain("which nobody sent");
  }
  ++receivedCount_;
  Book& book = books_[receiver];
  if (books_[sender].group != book.group) return complain("of another group");
  const auto [last, isFirst] = book.received.try_emplace(sender, 0);
  // Messages in flight when it entered may arrive or not.
  const std::uint64_t before = isFirst ? book.sentBefore[sender] : 0;
  const bool fits = isFirst ? number <= before + 1 : number == last->second + 1;
  if (!fits) {
    complain(isFirst ? fmt::format("though {} were sent before it entered", before)
                     : fmt::format("after {}", last->second));
  }
  last->second = number;
}

std::vector<std::string> DeliveryLedger::missing() const {
  std::vector<std::string> lines;
  for (Party receiver = 0; receiver < books_.size(); ++receiver) {
    const Book& book = books_[receiver];
    if (!book.isThere) continue;
    for (const Party sender : membersOf_.at(book.group)) {
      const Book& sent = books_[sender];
      const auto before = book.sentBefore.find(sender);
      const auto last = book.received.find(sender);
      const std::uint64_t known = last != book.received.end()       ? last->second
                                  : before != book.sentBefore.end() ? before->second
                                                                    : 0;
      if (!sent.isThere || known >= sent.sent) continue;
      lines.push_back(fmt::format("party {} lacks {} to {} of party {}, group {}", receiver,
                                  known + 1, sent.sent, sender, book.group));
      if (lines.size() == kLinesMax) return lines;
    }
  }
  return lines;
}

}  // namespace stormo::integration
