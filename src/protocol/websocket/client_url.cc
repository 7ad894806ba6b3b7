#include "protocol/websocket/client_url.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "protocol/proxy/ip_address.h"
#include "protocol/text/ascii.h"

namespace stormo::websocket {
namespace {

constexpr std::string_view kSeparator = "://";
constexpr std::uint16_t kPlainPort = 80;
constexpr std::uint16_t kSecurePort = 443;

std::uint16_t defaultPort(bool secure) { return secure ? kSecurePort : kPlainPort; }

bool isHostByte(char c) {
  const char lower = toLowerAscii(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_';
}

bool isTargetByte(char c) { return c > ' ' && c < 0x7f; }

[[noreturn]] void fail(std::string_view url, std::string_view what) {
  throw std::invalid_argument("bad URL '" + std::string(url) + "': " + std::string(what) +
                              " (write ws://host[:port][/path][?query])");
}

/// Takes the host from the front of `authority` and leaves ":port", or nothing.
std::string takeHost(std::string_view& authority, std::string_view url) {
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) fail(url, "the bracket is not closed");
    const std::string_view host = authority.substr(1, end - 1);
    const auto address = proxy::IpAddress::parse(host);
    if (!address || host.find(':') == std::string_view::npos) {
      fail(url, "there is no IPv6 address in the brackets");
    }
    authority.remove_prefix(end + 1);
    return std::string(host);
  }
  const std::string_view host = authority.substr(0, authority.find(':'));
  if (host.empty()) fail(url, "no host");
  if (!std::ranges::all_of(host, isHostByte)) {
    fail(url, "the host has a character that names do not have");
  }
  authority.remove_prefix(host.size());
  if (std::ranges::count(authority, ':') > 1) fail(url, "an IPv6 address needs brackets");
  return std::string(host);
}

std::uint16_t portOf(std::string_view text, std::string_view url) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [last, errc] = std::from_chars(text.data(), end, port);
  if (errc != std::errc{} || last != end || port == 0) {
    fail(url, "the port must be a number from 1 to 65535");
  }
  return port;
}

}  // namespace

std::string ClientUrl::authority() const {
  const bool isV6 = host.find(':') != std::string::npos;
  std::string text = isV6 ? '[' + host + ']' : host;
  if (port != defaultPort(secure)) text.append(":").append(std::to_string(port));
  return text;
}

bool hasClientScheme(std::string_view url) {
  const std::size_t end = url.find(kSeparator);
  if (end == std::string_view::npos) return false;
  const std::string_view scheme = url.substr(0, end);
  return equalsIgnoringCase(scheme, "ws") || equalsIgnoringCase(scheme, "wss");
}

ClientUrl parseClientUrl(std::string_view url) {
  if (!hasClientScheme(url)) fail(url, "the scheme is not ws or wss");
  ClientUrl parsed;
  parsed.secure = equalsIgnoringCase(url.substr(0, url.find(kSeparator)), "wss");
  std::string_view rest = url.substr(url.find(kSeparator) + kSeparator.size());

  std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  rest.remove_prefix(authority.size());
  if (authority.find('@') != std::string_view::npos) {
    fail(url, "a user name does not belong here: send an Authorization header");
  }
  parsed.host = takeHost(authority, url);
  parsed.port = defaultPort(parsed.secure);
  if (!authority.empty()) {
    if (!authority.starts_with(':')) fail(url, "the port must follow the bracket");
    parsed.port = portOf(authority.substr(1), url);
  }

  if (rest.find('#') != std::string_view::npos) {  // RFC 6455 3
    fail(url, "a fragment is not possible: write a '#' as %23");
  }
  if (!std::ranges::all_of(rest, isTargetByte)) {
    fail(url, "spaces, control characters and bytes above ASCII must be percent-encoded");
  }
  if (!rest.starts_with('/'))
    parsed.target = "/" + std::string(rest);
  else
    parsed.target = std::string(rest);
  return parsed;
}

}  // namespace stormo::websocket
