#pragma once

#include "channel/log/log.h"

namespace stormo::channel {

/// A log that keeps nothing: for a Channel whose state may end with its process, and for tests.
class MemoryLog final : public Log {
 public:
  [[nodiscard]] Result<void> open(LogState& state, std::function<void()> onOpened) override;
  void append(std::string_view records, std::uint64_t count) override;
  [[nodiscard]] std::uint64_t appliedCount() const override { return offset_; }
  [[nodiscard]] std::size_t waitingBytes() const override { return 0; }
  [[nodiscard]] bool isBlocked() const override { return false; }
  void finish(std::function<void()> onDone) override { onDone(); }

 private:
  LogState* state_ = nullptr;
  std::uint64_t offset_ = 0;
};

}  // namespace stormo::channel
