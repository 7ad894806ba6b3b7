// Histories: the cost of keeping each message, and of a reply to a reconnected client.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "channel/server/dedup_table.h"
#include "channel/server/history.h"
#include "protocol/channel/packet.h"

namespace stormo::channel {
namespace {

std::string event(std::uint64_t offset) {
  return encode({.kind = Kind::Event,
                 .space = Space::Groups,
                 .epoch = 1,
                 .offset = offset,
                 .channel = "group:123",
                 .payload = std::string(64, 'a')});
}

void append(benchmark::State& state) {
  std::vector<std::string> groups;
  for (std::int64_t i = 0; i < state.range(0); ++i) groups.push_back("group:" + std::to_string(i));
  const std::string frame = event(1);
  History history({.groups = {"*"}});
  std::uint64_t offset = 0;
  for (auto _ : state) {
    history.append(groups[offset % groups.size()], offset, frame, 0);
    ++offset;
  }
  state.counters["bytes"] = static_cast<double>(history.bytes());
}
BENCHMARK(append)->Name("history/append")->Arg(1)->Arg(1000)->Arg(100'000);

void appendNotKept(benchmark::State& state) {
  const std::string frame = event(1);
  History history({.groups = {"room.*", "news"}});
  for (auto _ : state) history.append("group:123", 1, frame, 0);
}
BENCHMARK(appendNotKept)->Name("history/appendNotKept");

void requestHistory(benchmark::State& state) {
  History history({.groups = {"*"}});
  for (std::uint64_t offset = 1; offset <= 100; ++offset) {
    history.append("group:123", offset, event(offset), 0);
  }
  const auto missed = static_cast<std::uint64_t>(state.range(0));
  std::string out;
  for (auto _ : state) {
    out.clear();
    if (!history.appendAfter("group:123", 100 - missed, 0, out)) state.SkipWithError("lost");
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(requestHistory)->Name("history/requestHistory")->Arg(0)->Arg(100);

void take(benchmark::State& state) {
  DedupTable sessions(500'000);
  std::uint64_t sequence = 0;
  for (auto _ : state) {
    ++sequence;
    const std::uint64_t session = 1 + sequence % static_cast<std::uint64_t>(state.range(0));
    if (!sessions.take(session, sequence, 0)) state.SkipWithError("a duplicate");
  }
}
BENCHMARK(take)->Name("sessions/take")->Arg(100)->Arg(100'000);

}  // namespace
}  // namespace stormo::channel
