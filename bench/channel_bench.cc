// The two dialects of the Channel.
#include <benchmark/benchmark.h>
#include <stormo/value.h>

#include <string>
#include <string_view>

#include "protocol/channel/packet.h"
#include "protocol/channel/workerman_command.h"
#include "protocol/package/frame.h"
#include "protocol/php/serialize.h"

namespace stormo::channel {
namespace {

constexpr std::string_view kChannel = "group:123";

Packet event(std::string_view payload) {
  return {.kind = Kind::Event,
          .epoch = 1,
          .offset = 2,
          .producerId = 3,
          .sequence = 4,
          .channel = kChannel,
          .payload = payload};
}

void encodePublish(benchmark::State& state) {
  const std::string payload(static_cast<std::size_t>(state.range(0)), 'a');
  std::string out;
  for (auto _ : state) {
    out.clear();
    encode({.kind = Kind::Publish, .sequence = 7, .channel = kChannel, .payload = payload}, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(encodePublish)->Name("channel/encodePublish")->Arg(64)->Arg(1024);

void encodeEvent(benchmark::State& state) {
  const std::string payload(static_cast<std::size_t>(state.range(0)), 'a');
  std::string out;
  for (auto _ : state) {
    out.clear();
    encode(event(payload), out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(encodeEvent)->Name("channel/encodeEvent")->Arg(64)->Arg(1024);

void decodeFrame(benchmark::State& state, const std::string& frame) {
  const std::string_view payload = framePayload(frame);
  Packet packet;
  for (auto _ : state) {
    if (decode(payload, packet) != Decode::Ok) state.SkipWithError("not decoded");
    benchmark::DoNotOptimize(packet);
  }
}

void decodePublish(benchmark::State& state) {
  const std::string payload(64, 'a');
  decodeFrame(
      state,
      encode({.kind = Kind::Publish, .sequence = 7, .channel = kChannel, .payload = payload}));
}
BENCHMARK(decodePublish)->Name("channel/decodePublish");

void decodeEvent(benchmark::State& state) {
  const std::string payload(64, 'a');
  decodeFrame(state, encode(event(payload)));
}
BENCHMARK(decodeEvent)->Name("channel/decodeEvent");

Value groupEvent() {
  return Value::array({{"group_id", "123"}, {"message", std::string(64, 'a')}});
}

void workermanEncode(benchmark::State& state) {
  std::string data;
  php::serialize(groupEvent(), data);
  const std::string_view channels[] = {"send_to_group"};
  std::string out;
  for (auto _ : state) {
    out.clear();
    encodeWorkerman(CommandType::Publish, channels, data, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(workermanEncode)->Name("workerman/encodePublish");

void workermanDecode(benchmark::State& state) {
  std::string data;
  php::serialize(groupEvent(), data);
  const std::string_view channels[] = {"send_to_group"};
  std::string payload;
  encodeWorkerman(CommandType::Publish, channels, data, payload);
  WorkermanCommand command;
  for (auto _ : state) {
    if (decodeWorkerman(payload, command) != Decode::Ok) state.SkipWithError("not decoded");
    benchmark::DoNotOptimize(command);
  }
}
BENCHMARK(workermanDecode)->Name("workerman/decodePublish");

}  // namespace
}  // namespace stormo::channel
