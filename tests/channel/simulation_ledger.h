#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stormo::channel {

/// Who published what in a simulation, who heard it, and whether that is as it should be.
class SimulationLedger {
 public:
  using Numbers = std::vector<std::size_t>;

  /// Somebody new, in these groups; `isFirst`: before anything was published.
  std::size_t begin(Numbers groups, bool isFirst);
  /// It has died: the end of what it published may not arrive, and it hears nothing any more.
  void end(std::size_t life) { lives_[life].isOver = true; }
  /// It has missed something and knows: from now on it counts anew.
  void missed(std::size_t life);

  /// The text of its next message.
  std::string publish(std::size_t life, std::size_t group);
  void hear(std::size_t life, std::string_view group, std::string_view text);

  /// What is not as it should be, in words; empty if all is.
  [[nodiscard]] std::string complaint() const;
  [[nodiscard]] std::size_t heardCount() const { return heardCount_; }

 private:
  struct Life {
    bool isFirst;
    bool isOver = false;
    Numbers groups;
    Numbers published{};                     ///< To which group, message by message.
    std::map<std::size_t, Numbers> heard{};  ///< Which messages, by their sender's life.
  };

  [[nodiscard]] std::string compare(std::size_t receiver, std::size_t sender) const;
  [[nodiscard]] static bool isStretch(const Life& sender, std::size_t group,
                                      const Numbers& heardOfAll, bool fromBeginning);
  static std::string inWords(const Numbers& numbers);

  std::vector<Life> lives_;
  std::string inWrongGroup_;
  std::size_t heardCount_ = 0;
};

}  // namespace stormo::channel
