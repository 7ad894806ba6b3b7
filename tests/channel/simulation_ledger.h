#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stormo::channel {

/// Records which participant of a simulation published and received what, and checks it.
class SimulationLedger {
 public:
  using Numbers = std::vector<std::size_t>;

  /// Adds a participant, a member of these groups. `isFirst`: before the first publish.
  std::size_t begin(Numbers groups, bool isFirst);
  /// The participant has ended: its last publishes may be lost, and it receives nothing more.
  void end(std::size_t participant) { participants_[participant].hasEnded = true; }
  /// The participant got a gap: only later messages are checked.
  void missed(std::size_t participant);

  /// Returns the text of its next message, which ends with so many spaces.
  std::string publish(std::size_t participant, std::size_t group, std::size_t spaces);
  /// `epoch` is that of the position which the participant has afterwards.
  void receive(std::size_t participant, std::uint64_t epoch, std::string_view group,
               std::string_view text);
  /// What was published until now may be lost for those that have not received it.
  void loseRecords();

  /// A description of all errors; empty if there are none.
  [[nodiscard]] std::string error() const;
  [[nodiscard]] std::size_t receivedCount() const { return receivedCount_; }

 private:
  using MessageId = std::pair<std::size_t, std::size_t>;  // its sender, and its number
  struct Participant {
    bool isFirst;
    bool hasEnded = false;
    Numbers groups;
    Numbers published{};                        ///< The group of each message.
    std::vector<std::string> texts{};           ///< Of these messages.
    std::size_t mayBeLost = 0;                  ///< So many of the first messages.
    std::map<std::size_t, Numbers> received{};  ///< Numbers of the messages, by sender.
    std::map<std::uint64_t, std::vector<MessageId>> inOrder{};  ///< All received, by epoch.
  };

  [[nodiscard]] std::string compare(std::size_t receiver, std::size_t sender) const;
  [[nodiscard]] static bool isContiguous(const Participant& sender, std::size_t group,
                                         const Numbers& receivedOfAll, bool fromBeginning);
  [[nodiscard]] std::string compareOrders(std::uint64_t epoch) const;
  static std::string textOf(const Numbers& numbers);

  std::vector<Participant> participants_;
  std::string wrongMessages_;
  std::size_t receivedCount_ = 0;
};

}  // namespace stormo::channel
