// A request head gets the same verdict whole and byte by byte. A valid one gives parameters,
// cookies and a response to its upgrade that are safe to use.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/http/http_request.h"
#include "protocol/websocket/handshake.h"

namespace {

using stormo::HeadDecode;
using stormo::HttpRequest;

constexpr std::size_t kHeadBytesMax = 512;

void require(bool condition) {
  if (!condition) std::abort();
}

struct Verdict {
  HeadDecode decode = HeadDecode::NeedMore;
  HttpRequest request = {};
  std::size_t headBytes = 0;
};

Verdict verdictOf(std::string_view in) {
  // A copy of the exact size, so that the sanitizer finds a read beyond its end.
  const std::string copy(in);
  Verdict verdict;
  verdict.decode = stormo::decodeHead(copy, kHeadBytesMax, verdict.request, verdict.headBytes);
  return verdict;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  const Verdict whole = verdictOf(in);
  Verdict cut;
  for (std::size_t n = 0; n <= in.size() && cut.decode == HeadDecode::NeedMore; ++n) {
    cut = verdictOf(in.substr(0, n));
  }
  require(cut.decode == whole.decode);
  require(cut.headBytes == whole.headBytes);
  if (whole.decode != HeadDecode::Ok) return 0;

  const HttpRequest& request = whole.request;
  require(whole.headBytes <= kHeadBytesMax && whole.headBytes <= in.size());
  require(in.substr(0, whole.headBytes).ends_with("\r\n\r\n"));
  require(!request.path.empty() && request.target.size() >= request.query.size());
  const std::string_view names[] = {"a", "sid", "", request.header("X-Name")};
  for (const std::string_view name : names) {
    const auto value = request.queryValue(name);
    require(!value || value->size() <= request.query.size());
    const auto cookie = request.cookie(name);
    require(!cookie || cookie->size() <= in.size());
  }
  const auto verdict = stormo::websocket::judgeUpgrade(request);
  if (verdict.status != 101) return 0;
  const std::string protocol = stormo::websocket::chooseSubprotocol(request, {"chat", "b"});
  const std::string response = stormo::websocket::upgradeResponse(
      stormo::websocket::acceptKey(request.header("Sec-WebSocket-Key")), protocol);
  require(response.ends_with("\r\n\r\n") && response.find("\r\n\r\n") == response.size() - 4);
  return 0;
}
