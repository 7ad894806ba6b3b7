// Extensions, and compressed messages: a header that is accepted must state an agreement that a
// client accepts; whatever is inflated is within the limit, the same again after a reset, and comes
// back when it is deflated.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "protocol/websocket/deflate.h"
#include "protocol/websocket/deflate_negotiation.h"

namespace {

using namespace stormo::websocket;

void require(bool condition) {
  if (!condition) std::abort();
}

void negotiate(const std::string& header, bool contextTakeover) {
  const auto offers = parseExtensions({{"Sec-WebSocket-Extensions", header}});
  if (!offers) return;
  const auto accepted = acceptDeflate(*offers, contextTakeover);
  if (!accepted) return;
  const DeflateParameters offer{
      .serverNoContextTakeover = contextTakeover && accepted->serverNoContextTakeover,
      .serverWindowBits = accepted->serverWindowBits};
  const auto answer = parseExtensions({{"Sec-WebSocket-Extensions", deflateHeader(*accepted)}});
  require(answer.has_value());
  const DeflateAnswer checked = checkDeflateAnswer(offer, *answer);
  require(checked.valid && checked.agreed == accepted);
}

void inflateTwice(const std::string& payload, std::uint64_t messageBytesMax, int windowBits) {
  Inflater inflater;
  const Inflated first = inflater.inflate(payload, messageBytesMax);
  const std::string message(first.message);
  require(message.size() <= messageBytesMax);
  inflater.reset();
  const Inflated again = inflater.inflate(payload, messageBytesMax);
  require(again.verdict == first.verdict && again.message == message);
  if (first.verdict != Inflated::Verdict::Ok) return;

  Deflater deflater(windowBits);
  const std::string deflated(deflater.deflate(message));
  require(deflated.size() <= compressedBytesMax(message.size()));
  inflater.reset();
  require(inflater.inflate(deflated, messageBytesMax).message == message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The provider takes its numbers from the end, so a seed is a header or a payload and a few bytes
  // after it.
  FuzzedDataProvider provider(data, size);
  const bool option = provider.ConsumeBool();
  const auto messageBytesMax = provider.ConsumeIntegral<std::uint16_t>();
  const int windowBits = provider.ConsumeIntegralInRange<int>(kWindowBitsMin, kWindowBitsMax);
  const std::string input = provider.ConsumeRemainingBytesAsString();
  negotiate(input, option);
  inflateTwice(input, messageBytesMax, windowBits);
  return 0;
}
