// stormo.v1: a client's requests, and a member's messages.
#include <benchmark/benchmark.h>

#include <string>

#include "protocol/client/v1_message.h"
#include "protocol/client/v1_request.h"

namespace stormo::v1 {
namespace {

void decode(benchmark::State& state) {
  const std::string text = R"({"id":12345,"cmd":"send","group":"123","message":")" +
                           std::string(static_cast<std::size_t>(state.range(0)), 'a') + "\"}";
  RequestDecoder decoder;
  Request request;
  for (auto _ : state) {
    if (decoder.decode(text, request) != CommandError::None) state.SkipWithError("not decoded");
    benchmark::DoNotOptimize(request);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(decode)->Name("v1/decode")->Arg(32)->Arg(1024);

void encode(benchmark::State& state, const std::string& piece) {
  std::string message;
  while (message.size() < static_cast<std::size_t>(state.range(0))) message += piece;
  std::string out;
  for (auto _ : state) {
    out.clear();
    appendMessage("123", 12345, message, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * message.size()));
}
BENCHMARK_CAPTURE(encode, ascii, "a")->Name("v1/message/ascii")->Arg(64)->Arg(4096);
BENCHMARK_CAPTURE(encode, utf8, "città ")->Name("v1/message/utf8")->Arg(64)->Arg(4096);

}  // namespace
}  // namespace stormo::v1
