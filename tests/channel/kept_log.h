#pragma once

#include <cstdint>
#include <string>

#include "channel/log/log.h"
#include "channel/log/record.h"
#include "sys/random_id.h"

namespace stormo::channel {

/// A log that outlives its server, as a file does: its records belong to the test.
class KeptLog final : public Log {
 public:
  struct Records {
    std::uint64_t epoch = randomId();
    std::string bytes = {};
  };

  explicit KeptLog(Records& records) : records_(records) {}

  [[nodiscard]] Result<void> open(LogState& state, std::function<void()> onOpened) override {
    state_ = &state;
    state_->begin(records_.epoch);
    if (!records_.bytes.empty()) apply(records_.bytes, countRecords(records_.bytes));
    recovered_ = offset_;
    onOpened();
    return {};
  }
  void append(std::string_view records, std::uint64_t count) override {
    records_.bytes.append(records);
    apply(records, count);
  }
  [[nodiscard]] std::uint64_t appliedCount() const override { return offset_ - recovered_; }
  [[nodiscard]] std::size_t waitingBytes() const override { return 0; }
  [[nodiscard]] bool isBlocked() const override { return false; }
  void finish(std::function<void()> onDone) override { onDone(); }

 private:
  void apply(std::string_view records, std::uint64_t count) {
    const std::uint64_t first = offset_ + 1;
    offset_ += count;
    state_->apply(first, records, node());
  }

  Records& records_;
  LogState* state_ = nullptr;
  std::uint64_t offset_ = 0;
  std::uint64_t recovered_ = 0;
};

}  // namespace stormo::channel
