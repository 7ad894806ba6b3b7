#include "config/key_set_url.h"

#include <algorithm>

namespace stormo::config {
namespace {

constexpr std::string_view kInsecure = "insecure+";
constexpr std::string_view kHttps = "https://";
constexpr std::string_view kHttp = "http://";

/// The authority (RFC 3986 3.2) of a URL without its scheme.
std::string_view authorityOf(std::string_view rest) {
  return rest.substr(0, rest.find_first_of("/?#"));
}

std::string_view hostOf(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

bool isOfThisMachine(std::string_view host) {
  const bool isIpv4 = host.find_first_not_of("0123456789.") == host.npos;
  return host == "localhost" || host == "[::1]" || (isIpv4 && host.starts_with("127."));
}

}  // namespace

std::string complaintOfKeySetUrl(std::string_view url) {
  if (url.empty()) return {};
  const std::string quoted = "'" + std::string(url) + "'";
  const bool isInsecure = url.starts_with(kInsecure);
  std::string_view rest = url;
  if (isInsecure) rest.remove_prefix(kInsecure.size());
  const bool isHttps = rest.starts_with(kHttps);
  if ((!isHttps && !rest.starts_with(kHttp)) || (isHttps && isInsecure)) {
    return quoted + " must begin with https://";
  }
  rest.remove_prefix(isHttps ? kHttps.size() : kHttp.size());
  const std::string_view authority = authorityOf(rest);
  const bool isPrintable = std::ranges::all_of(url, [](char c) { return c > ' ' && c < 127; });
  if (hostOf(authority).empty() || !isPrintable) return quoted + " is no URL";
  if (authority.find('@') != authority.npos) return quoted + " has a user, which is not sent";
  if (isHttps || isInsecure || isOfThisMachine(hostOf(authority))) return {};
  return quoted +
         " is not encrypted, so others could replace the keys: use https://, or if you trust the "
         "network between the two, insecure+http://";
}

std::string urlToFetch(std::string_view url) {
  if (url.starts_with(kInsecure)) url.remove_prefix(kInsecure.size());
  return std::string(url);
}

}  // namespace stormo::config
