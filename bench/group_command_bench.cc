// The commands of a group client, and JSON for whoever builds his own.
#include <benchmark/benchmark.h>
#include <stormo/json.h>

#include <string>

#include "protocol/group_command.h"

namespace stormo {
namespace {

std::string sendCommand(std::size_t messageBytes) {
  return R"({"cmd":"send_to_group", "group_id":"123", "message":")" +
         std::string(messageBytes, 'a') + "\"}";
}

void decode(benchmark::State& state) {
  const std::string text = sendCommand(static_cast<std::size_t>(state.range(0)));
  GroupCommandDecoder decoder;
  GroupRequest request;
  for (auto _ : state) {
    if (decoder.decode(text, request) != CommandError::None) state.SkipWithError("not decoded");
    benchmark::DoNotOptimize(request);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(decode)->Name("groupCommand/decode")->Arg(32)->Arg(1024);

void parse(benchmark::State& state) {
  const std::string text = sendCommand(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(parseJson(text));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(parse)->Name("json/parseJson")->Arg(32)->Arg(1024);

void write(benchmark::State& state) {
  const Value value = *parseJson(sendCommand(static_cast<std::size_t>(state.range(0))));
  for (auto _ : state) benchmark::DoNotOptimize(toJson(value));
}
BENCHMARK(write)->Name("json/toJson")->Arg(32)->Arg(1024);

}  // namespace
}  // namespace stormo
