// The WebSocket decoder must return the same sequence of events for a stream in one piece and for
// the same stream cut anywhere, each piece in its own memory: for a client's and a server's stream.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "protocol/text/utf8.h"
#include "protocol/websocket/decoder.h"

namespace {

using stormo::websocket::compressedBytesMax;
using stormo::websocket::Compression;
using stormo::websocket::Decoded;
using stormo::websocket::Decoder;
using stormo::websocket::Event;
using stormo::websocket::Limits;
using stormo::websocket::Sender;

void require(bool condition) {
  if (!condition) std::abort();
}

struct Seen {
  Event event;
  bool binary;
  bool compressed;
  std::string payload;
  stormo::CloseCode code;
  std::string reason;
  bool operator==(const Seen&) const = default;
};

struct Reader {
  Limits limits;
  bool replacesDecoder;  // replace the decoder whenever it is at rest
  Decoder decoder = {};
  std::vector<Seen> seen = {};
  bool ended = false;

  void read(std::string_view piece) {
    std::vector<char> memory(piece.begin(), piece.end());
    std::span<char> in(memory);
    while (!ended) {
      const Decoded decoded = decoder.next(in, limits);
      if (decoded.event == Event::NeedMore) {
        require(in.empty());
        break;
      }
      if (decoded.event == Event::Message) {
        require(decoded.payload.size() <= (decoded.compressed
                                               ? compressedBytesMax(limits.messageBytesMax)
                                               : limits.messageBytesMax));
        require(decoded.compressed || decoded.binary || stormo::isUtf8(decoded.payload));
        require(!decoded.compressed || limits.compression == Compression::Negotiated);
      }
      seen.push_back({decoded.event, decoded.binary, decoded.compressed,
                      std::string(decoded.payload), decoded.code, decoded.reason});
      ended = decoded.event == Event::Close || decoded.event == Event::Violation;
      if (replacesDecoder && decoder.atRest()) decoder = Decoder();
    }
  }
};

void compare(std::string_view stream, const std::vector<std::size_t>& pieces, const Limits& limits,
             bool replacesDecoder) {
  Reader whole{limits, false};
  whole.read(stream);
  Reader cut{limits, replacesDecoder};
  for (std::size_t at = 0, i = 0; at < stream.size(); ++i) {
    const std::string_view piece = stream.substr(at, pieces[i % pieces.size()]);
    cut.read(piece);
    at += piece.size();
  }
  require(whole.seen == cut.seen);
  require(whole.decoder.atRest() == cut.decoder.atRest());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The provider takes its numbers from the end, so a seed is a stream and a few bytes after it.
  FuzzedDataProvider provider(data, size);
  const auto messageBytesMax = provider.ConsumeIntegral<std::uint16_t>();
  // From the same number, so that a seed need not state it.
  Limits limits{messageBytesMax,
                messageBytesMax % 2 == 0 ? Compression::Off : Compression::Negotiated};
  const bool replacesDecoder = provider.ConsumeBool();
  std::vector<std::size_t> pieces(provider.ConsumeIntegralInRange<std::size_t>(1, 6));
  for (std::size_t& piece : pieces) piece = provider.ConsumeIntegralInRange<std::size_t>(1, 40);
  const std::string stream = provider.ConsumeRemainingBytesAsString();

  for (const Sender sender : {Sender::Client, Sender::Server}) {
    limits.sender = sender;
    compare(stream, pieces, limits, replacesDecoder);
  }
  return 0;
}
