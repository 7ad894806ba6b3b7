#include "protocol/websocket/origin.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "protocol/text/ascii.h"

namespace stormo::websocket {
namespace {

constexpr std::string_view kAny = "*";
constexpr std::string_view kSchemeEnd = "://";

/// The parts of an origin, or of a pattern, as views of its text.
struct Origin {
  std::string_view scheme;
  std::string_view host;
  std::string_view port;  ///< Empty: the scheme's default.
  std::string_view rest;  ///< From the path on: an origin has none.
};

std::optional<Origin> split(std::string_view text) {
  const std::size_t schemeEnd = text.find(kSchemeEnd);
  if (schemeEnd == std::string_view::npos) return {};
  Origin origin{.scheme = text.substr(0, schemeEnd), .host = {}, .port = {}, .rest = {}};
  text.remove_prefix(schemeEnd + kSchemeEnd.size());
  const std::size_t authorityEnd = std::min(text.find_first_of("/?#"), text.size());
  origin.rest = text.substr(authorityEnd);
  origin.host = text.substr(0, authorityEnd);
  const std::size_t colon = origin.host.find(':', origin.host.rfind(']') + 1);  // npos + 1 is 0
  if (colon != std::string_view::npos) {
    origin.port = origin.host.substr(colon + 1);
    origin.host = origin.host.substr(0, colon);
  }
  return origin;
}

/// The port, or zero if the text is no number from 1 to 65535.
unsigned portNumber(const Origin& origin) {
  if (origin.port.empty()) {
    if (equalsIgnoringCase(origin.scheme, "http")) return 80;
    return equalsIgnoringCase(origin.scheme, "https") ? 443 : 0;
  }
  unsigned port = 0;
  const char* const end = origin.port.data() + origin.port.size();
  const auto [stop, errc] = std::from_chars(origin.port.data(), end, port);
  return errc == std::errc{} && stop == end && port <= 65535 ? port : 0;
}

bool isMadeOf(std::string_view text, std::string_view marks) {
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    const char lower = toLowerAscii(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

bool isSchemeName(std::string_view scheme) { return isMadeOf(scheme, "+-."); }

bool isHost(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    return host.find_first_not_of("0123456789abcdefABCDEF:.", 1) == host.size() - 1;
  }
  return isMadeOf(host, "-._");
}

bool hostMatches(std::string_view host, std::string_view pattern) {
  if (pattern == kAny) return true;
  if (!pattern.starts_with("*.")) return equalsIgnoringCase(host, pattern);
  const std::string_view domain = pattern.substr(1);  // with its dot
  return host.size() > domain.size() &&
         equalsIgnoringCase(host.substr(host.size() - domain.size()), domain);
}

bool matches(std::string_view origin, std::string_view pattern) {
  if (pattern == kAny || equalsIgnoringCase(origin, pattern)) return true;
  const auto theirs = split(origin);
  const auto allowed = split(pattern);
  return theirs && allowed && theirs->rest.empty() && isHost(theirs->host) &&
         equalsIgnoringCase(theirs->scheme, allowed->scheme) &&
         hostMatches(theirs->host, allowed->host) &&
         (allowed->port == kAny || portNumber(*theirs) == portNumber(*allowed));
}

}  // namespace

std::string complaintOfOrigin(std::string_view pattern) {
  if (pattern == kAny || pattern == "null" || pattern == "file://") return {};
  const std::string quoted = "'" + std::string(pattern) + "' ";
  const auto origin = split(pattern);
  if (!origin) return quoted + "has no scheme: write https://" + std::string(pattern);
  const std::string written =
      std::string(origin->host) + (origin->port.empty() ? "" : ":" + std::string(origin->port));
  const auto isScheme = [&](std::string_view scheme) {
    return equalsIgnoringCase(origin->scheme, scheme);
  };
  if (isScheme("ws") || isScheme("wss")) {
    return quoted + "is no origin of a page: write " + (isScheme("ws") ? "http" : "https") + "://" +
           written;
  }
  if (!isSchemeName(origin->scheme)) {
    return quoted + "has no scheme: write https://" + written +
           " (and http:// as well, if pages use it)";
  }
  if (!origin->rest.empty()) {
    return quoted + "has a path, which no origin has: write " + std::string(origin->scheme) +
           "://" + written;
  }
  const std::string_view host =
      origin->host.starts_with("*.") ? origin->host.substr(2) : origin->host;
  if (host != kAny && !isHost(host)) {
    return quoted +
           "has a host that no browser sends: write a name in ASCII (xn--… for others) or an "
           "address, as https://*.chat.example for all hosts below chat.example";
  }
  if (!origin->port.empty() && origin->port != kAny && portNumber(*origin) == 0) {
    return quoted + "has an invalid port: write a number, or * for all ports";
  }
  return {};
}

std::string complaintOfOrigins(const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    if (std::string complaint = complaintOfOrigin(pattern); !complaint.empty()) return complaint;
  }
  return {};
}

bool originAllowed(std::string_view origin, const std::vector<std::string>& allowed) {
  if (origin.empty() || allowed.empty()) return true;
  return std::ranges::any_of(allowed, [&](const std::string& one) { return matches(origin, one); });
}

}  // namespace stormo::websocket
