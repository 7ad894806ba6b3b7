// The Channel's log: what one append costs, how fast a log is recovered, and how long the loop
// stands still for a snapshot. On the file system of TMPDIR.
#include <benchmark/benchmark.h>
#include <stormo/event_loop.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "channel/log/file_log.h"
#include "channel/log/record.h"
#include "temp_log.h"

namespace stormo::channel {
namespace {

class NoState final : public LogState {
 public:
  [[nodiscard]] bool restore(StateReader& in) override {
    in.bytes();
    return true;
  }
  void begin(std::uint64_t) override {}
  void save(StateWriter& out) const override { out.bytes("nothing"); }
  void apply(std::uint64_t, std::string_view records, NodeId) override {
    benchmark::DoNotOptimize(records.data());
  }
};

std::string recordWith(std::size_t packetBytes) {
  std::string record;
  appendRecord({.time = 1, .producerId = 2, .packet = std::string(packetBytes, 'x')}, record);
  return record;
}

// One call of append() with one record, with SyncPolicy::Process.
void appendToLog(benchmark::State& state) {
  EventLoop loop;
  const TempLog place;
  const auto directory = place.open();
  NoState nothing;
  FileLog log(*directory, {});
  if (!log.open(nothing, [] {})) std::abort();
  const std::string record = recordWith(static_cast<std::size_t>(state.range(0)));
  std::size_t appended = 0;
  for (auto _ : state) {
    log.append(record, 1);
    if (++appended % 1024 == 0) loop.turn(std::chrono::milliseconds(0));  // for the snapshots
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(appended * record.size()));
}
BENCHMARK(appendToLog)->Name("log/append")->Arg(128)->Arg(2048)->Arg(16384);

// 512 MiB of log without a snapshot, which the page cache has.
void recoverLog(benchmark::State& state) {
  EventLoop loop;
  const TempLog place;
  const LogSettings options{.totalBytesMax = UINT64_MAX};
  constexpr std::size_t kLogBytes = 512 << 20;
  {
    const auto directory = place.open();
    NoState nothing;
    // Its snapshot never completes, because no turn is run.
    FileLog log(*directory, options);
    if (!log.open(nothing, [] {})) std::abort();
    std::string records;
    std::uint64_t count = 0;
    for (; records.size() < 64 << 10; ++count) {
      records += recordWith(static_cast<std::size_t>(state.range(0)));
    }
    for (std::size_t bytes = 0; bytes < kLogBytes; bytes += records.size()) {
      log.append(records, count);
    }
  }
  for (auto _ : state) {
    const auto directory = place.open();
    NoState nothing;
    FileLog log(*directory, options);
    if (!log.open(nothing, [] {})) std::abort();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kLogBytes));
}
BENCHMARK(recoverLog)
    ->Name("log/recover")
    ->Arg(128)
    ->Arg(2048)
    ->Unit(benchmark::kMillisecond)
    ->MinTime(1);

// The time that the loop stands still when a process with 256 MiB of state forks.
void forkForSnapshot(benchmark::State& state) {
  EventLoop loop;
  const TempLog place;
  const auto directory = place.open();
  std::vector<std::string> events;
  for (std::size_t bytes = 0; bytes < 256 << 20; bytes += 1024) events.emplace_back(1000, 'x');
  for (auto _ : state) {
    bool isDone = false;
    const auto begin = std::chrono::steady_clock::now();
    directory->writeApart(
        "snapshot",
        [&](StateWriter& out) {
          for (const std::string& event : events) out.bytes(event);
        },
        [&](Result<std::uint64_t> bytes) {
          if (!bytes) std::abort();
          isDone = true;
        });
    state.SetIterationTime(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    while (!isDone) loop.turn(std::chrono::milliseconds(100));
    if (!directory->remove("snapshot")) std::abort();
  }
}
BENCHMARK(forkForSnapshot)
    ->Name("log/fork")
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime()
    ->Iterations(5);

}  // namespace
}  // namespace stormo::channel
