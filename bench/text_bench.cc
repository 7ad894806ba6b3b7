// UTF-8 and PHP's serialize().
#include <benchmark/benchmark.h>
#include <stormo/value.h>

#include <string>

#include "protocol/php/serialize.h"
#include "protocol/text/utf8.h"

namespace stormo {
namespace {

void utf8(benchmark::State& state, const char* letters) {
  std::string text;
  while (text.size() < 1024) text += letters;
  for (auto _ : state) {
    if (!isUtf8(text)) state.SkipWithError("not UTF-8");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK_CAPTURE(utf8, ascii, "abcdefgh");
BENCHMARK_CAPTURE(utf8, latin, "perché è così");
BENCHMARK_CAPTURE(utf8, chinese, "你好世界");

Value order() {
  return Value::array({{"group_id", "123"},
                       {"message", "Questo è un messaggio"},
                       {"at", 1700000000},
                       {"lines", Value::list({1, 2.5, true, nullptr, "four"})}});
}

void serialize(benchmark::State& state) {
  const Value value = order();
  std::string out;
  for (auto _ : state) {
    out.clear();
    php::serialize(value, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(serialize)->Name("php/serialize");

void unserialize(benchmark::State& state) {
  std::string text;
  php::serialize(order(), text);
  for (auto _ : state) {
    std::size_t consumed = 0;
    benchmark::DoNotOptimize(php::unserialize(text, consumed));
  }
}
BENCHMARK(unserialize)->Name("php/unserialize");

void length(benchmark::State& state) {
  std::string text;
  php::serialize(order(), text);
  for (auto _ : state) benchmark::DoNotOptimize(php::serializedLength(text));
}
BENCHMARK(length)->Name("php/serializedLength");

}  // namespace
}  // namespace stormo
