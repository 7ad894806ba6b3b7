// WebSocket: input (a client's masked frames) and output (a server's headers).
#include <benchmark/benchmark.h>

#include <cstring>
#include <span>
#include <string>

#include "protocol/websocket/decoder.h"
#include "protocol/websocket/frame.h"

namespace stormo::websocket {
namespace {

std::string clientFrames(std::size_t payloadBytes, std::size_t count) {
  std::string wire;
  for (std::size_t frame = 0; frame < count; ++frame) {
    appendClientFrame(Opcode::Text, std::string(payloadBytes, 'a'), kExampleMask, wire);
  }
  return wire;
}

/// 64 whole frames in one read. The decoder unmasks in place, so each round starts with a copy.
void decode(benchmark::State& state) {
  constexpr std::size_t kFrames = 64;
  const std::string wire = clientFrames(static_cast<std::size_t>(state.range(0)), kFrames);
  std::string buffer(wire.size(), '\0');
  const Limits limits{.messageBytesMax = 1 << 20};
  for (auto _ : state) {
    std::memcpy(buffer.data(), wire.data(), wire.size());
    Decoder decoder;
    std::span<char> in(buffer);
    std::size_t messages = 0;
    while (decoder.next(in, limits).event == Event::Message) ++messages;
    if (messages != kFrames) state.SkipWithError("a frame was not decoded");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kFrames));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * wire.size()));
}
BENCHMARK(decode)->Name("websocket/decode")->Arg(32)->Arg(125)->Arg(1024)->Arg(16384);

void mask(benchmark::State& state) {
  std::string payload(static_cast<std::size_t>(state.range(0)), 'a');
  for (auto _ : state) {
    applyMask(payload.data(), payload.size(), kExampleMask, 1);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(mask)->Name("websocket/mask")->Arg(32)->Arg(1024)->Arg(65536);

/// What a client does with each message: its payload is copied and masked at once.
void copyAndMask(benchmark::State& state) {
  const std::string payload(static_cast<std::size_t>(state.range(0)), 'a');
  std::string frame(payload.size(), '\0');
  for (auto _ : state) {
    copyMasked(payload, kExampleMask, frame.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(copyAndMask)->Name("websocket/copyMasked")->Arg(32)->Arg(1024)->Arg(65536);

void encode(benchmark::State& state) {
  const auto payloadBytes = static_cast<std::uint64_t>(state.range(0));
  char header[kServerHeaderBytesMax];
  for (auto _ : state) {
    benchmark::DoNotOptimize(encodeHeader(Opcode::Text, payloadBytes, header));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(encode)->Name("websocket/encodeHeader")->Arg(125)->Arg(65536);

}  // namespace
}  // namespace stormo::websocket
