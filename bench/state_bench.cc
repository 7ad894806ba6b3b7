// The Channel's whole state with its log, with 256 MiB of histories: how long the loop stands
// still for a snapshot, and how long the next Channel needs to recover. On the file system of
// TMPDIR.
#include <benchmark/benchmark.h>
#include <stormo/channel/server.h>
#include <stormo/event_loop.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "channel/log/file_log.h"
#include "channel/log/record.h"
#include "channel/server/channel_state.h"
#include "temp_log.h"

namespace stormo::channel {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kGroups = 10'000;
constexpr std::size_t kHistoryBytes = 256 << 20;

double millisecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double quantile(std::vector<double>& values, double part) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

/// Messages to all groups in turn.
class Messages {
 public:
  explicit Messages(std::size_t bytes) : payload_(bytes, 'x') {}

  /// The records of one turn.
  void appendTo(Log& log) {
    constexpr std::uint64_t kAtOnce = 16;
    records_.clear();
    for (std::uint64_t i = 0; i < kAtOnce; ++i) {
      packet_.clear();
      const std::string group = "group " + std::to_string(++sequence_ % kGroups);
      encode({.kind = Kind::Publish,
              .payloadKind = PayloadKind::Text,
              .space = Space::Groups,
              .sequence = sequence_,
              .channel = group,
              .payload = payload_},
             packet_);
      appendRecord({.time = 1, .producerId = 2, .packet = std::string_view(packet_).substr(4)},
                   records_);
    }
    log.append(records_, kAtOnce);
  }
  /// Of one turn.
  [[nodiscard]] std::size_t bytes() const { return records_.size(); }

 private:
  const std::string payload_;
  std::uint64_t sequence_ = 0;
  std::string packet_;
  std::string records_;
};

/// Measures how long a state lets the loop wait for a snapshot: in the turn of the fork, and in the
/// turns while the child writes.
class MeasuredState final : public LogState {
 public:
  explicit MeasuredState(ChannelState& state) : state_(state) {}

  [[nodiscard]] bool restore(StateReader& in) override { return state_.restore(in); }
  void begin(std::uint64_t epoch) override { state_.begin(epoch); }
  void save(StateWriter& out) const override { state_.save(out); }
  [[nodiscard]] std::uint64_t recallFrom() const override { return state_.recallFrom(); }
  void recall(std::uint64_t first, std::string_view records) override {
    state_.recall(first, records);
  }
  void hold() override {
    state_.hold();
    isHeld_ = true;
    forkedAt_ = Clock::now();
  }
  void release() override {
    state_.release();
    isHeld_ = false;
  }
  void apply(std::uint64_t first, std::string_view records, NodeId from) override {
    const auto begin = Clock::now();
    state_.apply(first, records, from);
    if (isHeld_) applies.push_back(millisecondsSince(begin));
  }
  /// After each append.
  void onAppended() {
    if (forkedAt_ == Clock::time_point{}) return;
    forks.push_back(millisecondsSince(std::exchange(forkedAt_, {})));
  }

  std::vector<double> forks;
  std::vector<double> applies;

 private:
  ChannelState& state_;
  bool isHeld_ = false;
  Clock::time_point forkedAt_{};
};

// Appends to a log whose histories are full, 100 MiB each second.
void stallForSnapshot(benchmark::State& state) {
  EventLoop loop;
  Server settings;
  settings.history.groups = {"*"};
  settings.history.messagesMax = 1'000'000;
  settings.history.totalBytesMax = kHistoryBytes;
  for (auto _ : state) {
    const TempLog place;
    const auto directory = place.open();
    ChannelState channel(settings);
    MeasuredState measured(channel);
    FileLog log(*directory, {});
    if (!log.open(measured, [] {})) std::abort();
    Messages messages(static_cast<std::size_t>(state.range(0)));
    const auto appendMessages = [&] {
      messages.appendTo(log);
      measured.onAppended();
      loop.turn(std::chrono::milliseconds(0));
    };
    while (channel.history().bytes() < kHistoryBytes * 9 / 10) appendMessages();
    measured.forks.clear();
    measured.applies.clear();
    constexpr std::uint64_t kBytes = 1 << 30;
    constexpr std::uint64_t kBytesPerSecond = 100 << 20;
    const auto begin = Clock::now();
    for (std::uint64_t bytes = 0; bytes < kBytes; bytes += messages.bytes()) {
      while (millisecondsSince(begin) * kBytesPerSecond / 1000 < static_cast<double>(bytes)) {
        loop.turn(std::chrono::milliseconds(1));
      }
      appendMessages();
    }
    state.counters["fork_ms"] = quantile(measured.forks, 0.5);
    state.counters["fork_max_ms"] = quantile(measured.forks, 1);
    state.counters["apply_p99_ms"] = quantile(measured.applies, 0.99);
    state.counters["apply_max_ms"] = quantile(measured.applies, 1);
  }
}
BENCHMARK(stallForSnapshot)
    ->Name("state/snapshotStall")
    ->Arg(1024)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

// A full log of the default settings: a snapshot, the replay window, and the records until the next
// snapshot is due. With histories the snapshot has 256 MiB of them.
void recoverState(benchmark::State& state) {
  EventLoop loop;
  Server settings;
  const bool hasHistories = state.range(1) != 0;
  if (hasHistories) settings.history.groups = {"*"};
  settings.history.messagesMax = 1'000'000;
  settings.history.totalBytesMax = kHistoryBytes;
  const TempLog place;
  std::uint64_t offset = 0;
  {
    const auto directory = place.open();
    ChannelState channel(settings);
    FileLog log(*directory, {});
    if (!log.open(channel, [] {})) std::abort();
    Messages messages(static_cast<std::size_t>(state.range(0)));
    const auto isFull = [&] {
      return !hasHistories || channel.history().bytes() >= kHistoryBytes * 9 / 10;
    };
    // The log is the longest before a snapshot replaces segments.
    std::uint64_t longest = 0;
    bool hasSnapshot = false;
    while (!isFull() || !hasSnapshot || log.totalBytes() < longest * 95 / 100) {
      messages.appendTo(log);
      loop.turn(std::chrono::milliseconds(0));
      hasSnapshot = isFull() && (hasSnapshot || log.totalBytes() < longest);
      longest = std::max(longest, log.totalBytes());
    }
    state.counters["log_MiB"] = static_cast<double>(log.totalBytes() >> 20);
    offset = channel.offset();
  }
  for (auto _ : state) {
    const auto directory = place.open();
    ChannelState channel(settings);
    FileLog log(*directory, {});
    if (!log.open(channel, [] {}) || channel.offset() != offset) std::abort();
  }
}
BENCHMARK(recoverState)
    ->Name("state/recover")
    ->ArgNames({"bytes", "histories"})
    ->ArgsProduct({{64, 1024}, {0, 1}})
    ->Unit(benchmark::kMillisecond)
    ->Iterations(3);

}  // namespace
}  // namespace stormo::channel
