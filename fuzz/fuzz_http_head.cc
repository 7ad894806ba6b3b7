// A request head gets the same verdict whole and byte by byte. A valid one gives parameters,
// cookies and a response to its upgrade that are safe to use.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http_head.h"
#include "protocol/http/http_request.h"
#include "protocol/websocket/handshake.h"

namespace {

using fuzz::require;
using stormo::HeadDecode;
using stormo::HttpRequest;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  const auto whole = fuzz::verdictOf<HttpRequest>(
      in, [](auto&&... given) { return stormo::decodeHead(given...); });
  if (whole.decode != HeadDecode::Ok) return 0;

  const HttpRequest& request = whole.head;
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
