// The requests of one connection are the same whether they arrive whole, byte by byte, or in pieces
// of another size; what is held of an incomplete one is bounded.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "http_head.h"
#include "protocol/http/request_reader.h"

namespace {

using fuzz::require;
using stormo::RequestReader;
using Event = RequestReader::Event;

constexpr RequestReader::Limits kLimits{.headBytesMax = fuzz::kHeadBytesMax, .bodyBytesMax = 200};
constexpr std::size_t kUntakenMax = 256 + 4096;  // between chunks

std::vector<std::string> requestsIn(std::string_view in, std::size_t pieceBytes) {
  RequestReader reader;
  std::vector<std::string> out;
  std::string waiting;
  std::size_t judged = 0;
  bool isSettled = false;
  while (true) {
    const std::string copy(waiting);  // of the exact size, for the sanitizer
    std::string_view rest = copy;
    const Event event = reader.next(rest, kLimits, judged);
    waiting.erase(0, waiting.size() - rest.size());
    judged = 0;
    require(reader.request().body.size() <= kLimits.bodyBytesMax);
    if (event == Event::Refused) {
      out.push_back(std::to_string(reader.refusal().status));
      return out;
    }
    if (event == Event::Request) {
      const auto& request = reader.request();
      require(!request.path.empty());
      out.push_back(request.method + ' ' + request.target + ' ' + request.body);
    }
    if (event != Event::NeedMore) continue;
    if (reader.isAtRest()) judged = waiting.size();
    // All that arrived was judged, so no more than one piece is added to what may wait.
    require(waiting.size() < (reader.isAtRest() ? kLimits.headBytesMax : kUntakenMax));
    if (in.empty() && (judged == 0 || isSettled)) return out;
    // An incomplete head is not parsed again at each arrival: at the end it is, for the comparison.
    if (in.empty()) {
      isSettled = true;
      judged = 0;
      continue;
    }
    waiting += in.substr(0, pieceBytes);
    in.remove_prefix(std::min(pieceBytes, in.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  const auto whole = requestsIn(in, size + 1);
  require(requestsIn(in, 1) == whole);
  require(requestsIn(in, 7) == whole);
  return 0;
}
