#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stormo::integration {

/// The books of a fault test: what each sender has sent, what each receiver has got of it, and
/// whether that is all, once and in order. A client that connects anew is a new party, to which the
/// same is promised from then on.
class DeliveryLedger {
 public:
  using Party = std::size_t;

  /// A member of that group, which is to receive all that is sent to it from now on.
  Party enter(std::size_t group);
  /// Its connection has ended; of what it sent, the end may be missing for all.
  void leave(Party party) { books_[party].isThere = false; }

  /// The text of the party's next message to its group.
  std::string nextMessage(Party sender);
  void received(Party receiver, std::string_view text);

  /// What parties that are there lack of what others that are there sent: a line for each pair, the
  /// first ten. Empty: nothing.
  [[nodiscard]] std::vector<std::string> missing() const;
  /// What came twice, too early, or to a stranger; the first ten.
  [[nodiscard]] const std::vector<std::string>& wrong() const { return wrong_; }
  [[nodiscard]] std::uint64_t receivedCount() const { return receivedCount_; }

 private:
  using Counts = std::map<Party, std::uint64_t>;  // by sender
  struct Book {
    std::size_t group;
    bool isThere = true;
    std::uint64_t sent = 0;
    Counts sentBefore = {};  // by others, when it entered
    Counts received = {};    // the last number
  };
  static constexpr std::size_t kLinesMax = 10;

  std::vector<Book> books_;
  std::map<std::size_t, std::vector<Party>> membersOf_;
  std::vector<std::string> wrong_;
  std::uint64_t receivedCount_ = 0;
};

}  // namespace stormo::integration
