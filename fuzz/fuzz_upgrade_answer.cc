// A server's answer to an upgrade gets the same verdict whole and byte by byte. An accepted one
// agrees on nothing but what was offered. A URL that is accepted makes a request that the server's
// side reads as one head.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "http_head.h"
#include "protocol/http/http_response_head.h"
#include "protocol/websocket/client_handshake.h"
#include "protocol/websocket/client_url.h"
#include "protocol/websocket/handshake.h"

namespace {

using fuzz::require;
using stormo::HeadDecode;
using stormo::HttpResponseHead;
using namespace stormo::websocket;

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";

void judge(const HttpResponseHead& head) {
  const UpgradeRequest request{
      .subprotocols = {"chat", "b"},
      .deflate = DeflateParameters{.serverNoContextTakeover = true, .clientWindowBits = 12}};
  const UpgradeAnswer answer = judgeAnswer(head, request, acceptKey(kKey));
  if (answer.error) return require(!answer.error.message().empty());
  require(head.status == 101);
  require(answer.subprotocol.empty() || answer.subprotocol == "chat" || answer.subprotocol == "b");
  if (!answer.deflate) return;
  require(answer.deflate->serverNoContextTakeover);
  const int bits = answer.deflate->clientWindowBits.value_or(12);
  require(bits >= kWindowBitsMin && bits <= 12);
}

void request(std::string_view text) {
  const std::string_view url = text.substr(0, text.find("\n\n"));
  std::string bytes;
  try {
    const ClientUrl parsed = parseClientUrl(url);
    bytes = UpgradeRequest{.target = parsed.target, .host = parsed.authority()}.withKey(kKey);
  } catch (const std::invalid_argument&) {
    return;
  }
  stormo::HttpRequest head;
  std::size_t headBytes = 0;
  require(stormo::decodeHead(bytes, bytes.size() + 1, head, headBytes) == HeadDecode::Ok);
  require(headBytes == bytes.size() && head.headers.size() == 5);
  require(judgeUpgrade(head).status == 101);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  request(in);
  const auto whole = fuzz::verdictOf<HttpResponseHead>(
      in, [](auto&&... given) { return stormo::decodeResponseHead(given...); });
  if (whole.decode != HeadDecode::Ok) return 0;
  judge(whole.head);
  return 0;
}
