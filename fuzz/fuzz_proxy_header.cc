// A header of the PROXY protocol gets the same verdict whole and byte by byte, and a request's
// forwarding headers are read safely, whatever they are.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/proxy/forwarded.h"
#include "protocol/proxy/proxy_header.h"

namespace {

using namespace stormo;

void require(bool condition) {
  if (!condition) std::abort();
}

proxy::ProxyDecode decode(std::string_view in, proxy::ProxyHeader& header) {
  // A copy of the exact size, so that the sanitizer finds a read beyond its end.
  const std::string copy(in);
  return proxy::decodeProxyHeader(copy, header);
}

void checkProxyHeader(std::string_view in) {
  proxy::ProxyHeader whole, cut;
  const proxy::ProxyDecode verdict = decode(in, whole);
  auto cutVerdict = proxy::ProxyDecode::NeedMore;
  for (std::size_t n = 0; n <= in.size() && cutVerdict == proxy::ProxyDecode::NeedMore; ++n) {
    cutVerdict = decode(in.substr(0, n), cut);
  }
  require(cutVerdict == verdict && cut.bytes == whole.bytes && cut.client == whole.client);
  require(whole.bytes <= in.size() && whole.bytes <= proxy::kProxyHeaderBytesMax);
  if (verdict == proxy::ProxyDecode::NeedMore) require(in.size() < proxy::kProxyHeaderBytesMax);
}

void checkForwarded(std::string_view value) {
  static const proxy::TrustedProxies kTrusted({"10.0.0.0/8", "fd00::/8"});
  HttpRequest request;
  request.headers = {{"Forwarded", std::string(value)},
                     {"X-Forwarded-For", std::string(value)},
                     {"X-Real-IP", std::string(value)}};
  for (const auto header :
       {ForwardedHeader::XForwardedFor, ForwardedHeader::XRealIp, ForwardedHeader::Forwarded}) {
    const proxy::ForwardedClient found = proxy::forwardedClient(request, header, kTrusted);
    require(!found.isMalformed || !found.client);
    if (found.client) {
      require(proxy::IpAddress::parse(found.client->address.text()) == found.client->address);
    }
  }
  // A trusted proxy appends the address of its peer: a client's own text cannot change it.
  for (HttpHeader& field : request.headers) field.value += ", for=\"192.0.2.1:7\"";
  const auto appended = proxy::forwardedClient(request, ForwardedHeader::Forwarded, kTrusted);
  const proxy::IpEndpoint peer{.address = *proxy::IpAddress::parse("192.0.2.1"), .port = 7};
  require(appended.isMalformed || appended.client == peer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  checkProxyHeader(in);
  checkForwarded(in);
  return 0;
}
