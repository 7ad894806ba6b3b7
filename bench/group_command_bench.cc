// The commands of a group client, and JSON for programs with their own commands.
#include <benchmark/benchmark.h>
#include <stormo/json.h>

#include <string>

#include "protocol/client/group_command.h"

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

/// A command of 1 MiB whose unused field "x" is full of `piece`.
std::string hostileCommand(std::string_view begin, std::string_view piece, std::string_view end) {
  std::string text = R"({"cmd":"add_group","group_id":"123","x":)";
  text += begin;
  while (text.size() < 1 << 20) text += piece;
  text += end;
  return text += '}';
}

const std::string& hostile(std::size_t kind) {
  static const std::string kTexts[] = {
      hostileCommand("[", "18446744073709551616,", "0]"),
      hostileCommand("[", "0.1234567890123456789012345e-7,", "0]"),
      hostileCommand("[", "1", "]"),
      hostileCommand("{", R"("cmd":1,)", R"("":1})"),
      hostileCommand("0", R"(,"cmd":"add_group")", ""),
      hostileCommand("0", R"(,"c\u006dd":"add_group")", ""),
      hostileCommand("\"", R"(\u00e8)", "\""),
      hostileCommand("\"", R"(\\)", "\""),
      hostileCommand("[", std::string(500, '[') + std::string(500, ']') + ',', "0]"),
      hostileCommand("[", R"({"a":[]},)", "0]"),
      hostileCommand("", " ", "0"),
      hostileCommand("\"", "è", "\""),
  };
  return kTexts[kind];
}
constexpr const char* kHostile[] = {"bigIntegers", "longFractions", "oneLongNumber",  "equalKeys",
                                    "equalFields", "escapedFields", "unicodeEscapes", "backslashes",
                                    "deepNesting", "smallValues",   "whiteSpace",     "notAscii"};

void decodeHostile(benchmark::State& state, std::size_t kind) {
  const std::string& text = hostile(kind);
  GroupCommandDecoder decoder;
  GroupRequest request;
  for (auto _ : state) {
    if (decoder.decode(text, request) != CommandError::None) state.SkipWithError("not decoded");
    benchmark::DoNotOptimize(request);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void parseHostile(benchmark::State& state, std::size_t kind) {
  const std::string& text = hostile(kind);
  for (auto _ : state) benchmark::DoNotOptimize(parseJson(text));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

const bool kRegistered = [] {
  for (std::size_t kind = 0; kind < std::size(kHostile); ++kind) {
    const std::string name = kHostile[kind];
    benchmark::RegisterBenchmark(("groupCommand/decode/" + name).c_str(), decodeHostile, kind);
    benchmark::RegisterBenchmark(("json/parseJson/" + name).c_str(), parseHostile, kind);
  }
  return true;
}();

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
