#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stormo::integration {

/// The records of a fault test: what each sender sent, what each receiver received, and whether
/// that is complete, without duplicates and in order. A client that reconnects is a new member.
class DeliveryLedger {
 public:
  using Member = std::size_t;

  /// A member of that group, which must receive all messages sent to it from now on.
  Member join(std::size_t group);
  /// Its connection has ended. The last messages that it sent may be missing for all.
  void leave(Member member) { records_[member].isConnected = false; }

  /// The text of the member's next message to its group.
  std::string nextMessage(Member sender);
  void received(Member receiver, std::string_view text);

  /// Messages between connected members that are missing: a line for each pair, the first ten.
  /// Empty: none.
  [[nodiscard]] std::vector<std::string> missing() const;
  /// Messages that were duplicated, out of order, or sent to another group; the first ten.
  [[nodiscard]] const std::vector<std::string>& wrong() const { return wrong_; }
  [[nodiscard]] std::uint64_t receivedCount() const { return receivedCount_; }
  /// A line for each group for whose messages there is no order in which all members, also those
  /// that have left, have received them. Empty: there is one order.
  [[nodiscard]] std::vector<std::string> withoutOneOrder() const;

 private:
  using Message = std::uint64_t;                   // its sender and number
  using Counts = std::map<Member, std::uint64_t>;  // by sender
  struct Record {
    std::size_t group;
    bool isConnected = true;
    std::uint64_t sent = 0;
    Counts sentBefore = {};              // by others, before it joined
    Counts received = {};                // the last number
    std::vector<Message> sequence = {};  // all that it received
  };
  static constexpr std::size_t kLinesMax = 10;

  std::vector<Record> records_;
  std::map<std::size_t, std::vector<Member>> groups_;
  std::vector<std::string> wrong_;
  std::uint64_t receivedCount_ = 0;
};

}  // namespace stormo::integration
