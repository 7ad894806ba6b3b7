#include "access/request_token.h"

#include <strings.h>

#include <string_view>

namespace stormo::access {
namespace {

constexpr std::string_view kBearer = "Bearer ";  // the scheme disregards case (RFC 9110 11.1)

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view bearerOf(const HttpRequest& request) {
  const std::string_view value = request.header("Authorization");
  const bool isBearer = value.size() > kBearer.size() &&
                        ::strncasecmp(value.data(), kBearer.data(), kBearer.size()) == 0;
  return isBearer ? trimmed(value.substr(kBearer.size())) : std::string_view();
}

std::string_view subprotocolOf(const HttpRequest& request) {
  for (const HttpHeader& header : request.headers) {
    if (::strcasecmp(header.name.c_str(), "Sec-WebSocket-Protocol") != 0) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      const std::string_view each = trimmed(rest.substr(0, comma));
      if (each.starts_with(kTokenSubprotocol)) return each.substr(kTokenSubprotocol.size());
      rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
    }
  }
  return {};
}

}  // namespace

std::string tokenOf(const HttpRequest& request, const std::string& cookie) {
  if (const auto bearer = bearerOf(request); !bearer.empty()) return std::string(bearer);
  if (const auto offered = subprotocolOf(request); !offered.empty()) return std::string(offered);
  if (auto parameter = request.queryValue("token"); parameter && !parameter->empty()) {
    return *std::move(parameter);
  }
  if (cookie.empty()) return {};
  return request.cookie(cookie).value_or("");
}

}  // namespace stormo::access
