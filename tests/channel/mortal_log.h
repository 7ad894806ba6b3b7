#pragma once

#include <functional>
#include <string_view>
#include <utility>

#include "channel/log/file_log.h"
#include "channel/log/simulated_log_directory.h"

namespace stormo::channel {

/// A FileLog whose process may die in it. A SimulatedDeath must not leave a turn of the loop, so it
/// ends here: the log does nothing more, and the test destroys the server before it sends anything.
class MortalLog final : public Log {
 public:
  /// `onDeath` is called at most once, in the middle of what the server does.
  MortalLog(test::SimulatedLogDirectory& directory, const LogSettings& settings,
            std::function<void()> onDeath)
      : log_(directory, settings), onDeath_(std::move(onDeath)) {}

  /// The next append is written, and applied if the policy allows it, and is the last one.
  void dieAfterAppend() { diesAfterAppend_ = true; }
  /// Calls what uses the log outside of the server's turn.
  template <typename Work>
  void guard(const Work& work) {
    if (isDead_) return;
    try {
      work();
    } catch (const test::SimulatedDeath&) {
      die();
    }
  }

  /// Throws SimulatedDeath.
  [[nodiscard]] Result<void> open(LogState& state, std::function<void()> onOpened) override {
    return log_.open(state, std::move(onOpened));
  }
  void append(std::string_view records, std::uint64_t count) override {
    guard([&] { log_.append(records, count); });
    if (diesAfterAppend_ && !isDead_) die();
  }
  [[nodiscard]] std::uint64_t appliedCount() const override { return log_.appliedCount(); }
  [[nodiscard]] std::size_t waitingBytes() const override { return log_.waitingBytes(); }
  [[nodiscard]] bool isBlocked() const override { return log_.isBlocked(); }
  void finish(std::function<void()> onDone) override {
    guard([&] { log_.finish(std::move(onDone)); });
  }

 private:
  void die() {
    isDead_ = true;
    onDeath_();
  }

  FileLog log_;
  const std::function<void()> onDeath_;
  bool diesAfterAppend_ = false;
  bool isDead_ = false;
};

}  // namespace stormo::channel
