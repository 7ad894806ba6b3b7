// The Channel's whole state beside its log, with 256 MiB of histories: how long the loop stands
// still for a snapshot, and how long the next Channel needs to recover. On the file system of
// TMPDIR.
#include <benchmark/benchmark.h>
#include <stormo/channel/server.h>
#include <stormo/event_loop.h>

#include <algorithm>
#include <chrono>
#include <string>

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

 private:
  const std::string payload_;
  std::uint64_t sequence_ = 0;
  std::string packet_;
  std::string records_;
};

// Appends 1 GiB to a log whose histories are full. The longest append is one with a fork.
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
    FileLog log(*directory, {});
    if (!log.open(channel)) std::abort();
    Messages messages(static_cast<std::size_t>(state.range(0)));
    while (channel.history().bytes() < kHistoryBytes * 9 / 10) {
      messages.appendTo(log);
      loop.turn(std::chrono::milliseconds(0));
    }
    double longest = 0;
    for (const std::uint64_t end = channel.offset() + (1 << 30) / (state.range(0) + 60);
         channel.offset() < end;) {
      const auto begin = Clock::now();
      messages.appendTo(log);
      longest = std::max(longest, millisecondsSince(begin));
      loop.turn(std::chrono::milliseconds(0));
    }
    state.SetIterationTime(longest / 1000);
  }
}
BENCHMARK(stallForSnapshot)
    ->Name("state/snapshotStall")
    ->Arg(1024)
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime()
    ->Iterations(3);

// A log with 256 MiB of histories in its snapshot, and records after it until the next one is due.
void recoverState(benchmark::State& state) {
  EventLoop loop;
  Server settings;
  settings.history.groups = {"*"};
  settings.history.messagesMax = 1'000'000;
  settings.history.totalBytesMax = kHistoryBytes;
  const TempLog place;
  std::uint64_t offset = 0;
  {
    const auto directory = place.open();
    ChannelState channel(settings);
    FileLog log(*directory, {});
    if (!log.open(channel)) std::abort();
    Messages messages(static_cast<std::size_t>(state.range(0)));
    std::uint64_t bytes = log.totalBytes();
    // Until the snapshot of full histories has replaced the segments that it covers.
    while (channel.history().bytes() < kHistoryBytes * 9 / 10 || log.totalBytes() >= bytes) {
      bytes = std::max(bytes, log.totalBytes());
      messages.appendTo(log);
      loop.turn(std::chrono::milliseconds(0));
    }
    for (const std::uint64_t full = log.totalBytes() + (220 << 20); log.totalBytes() < full;) {
      messages.appendTo(log);
      loop.turn(std::chrono::milliseconds(0));
    }
    state.counters["log_MiB"] = static_cast<double>(log.totalBytes() >> 20);
    offset = channel.offset();
  }
  for (auto _ : state) {
    const auto directory = place.open();
    ChannelState channel(settings);
    FileLog log(*directory, {});
    if (!log.open(channel) || channel.offset() != offset) std::abort();
  }
}
BENCHMARK(recoverState)
    ->Name("state/recover")
    ->Arg(64)
    ->Arg(1024)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(3);

}  // namespace
}  // namespace stormo::channel
