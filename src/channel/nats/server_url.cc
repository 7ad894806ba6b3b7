#include "channel/nats/server_url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "protocol/http/percent.h"

namespace stormo::channel {
namespace {

constexpr std::string_view kForm = "a server of the cluster is written nats://host:port";

[[noreturn]] void reject(std::string_view place, std::string_view problem) {
  throw std::invalid_argument(fmt::format("cluster server \"{}\": {}; {}", place, problem, kForm));
}

bool isHostCharacter(char c) {
  return static_cast<unsigned char>(c) > ' ' && c != 0x7f && c != '/' && c != '\\' && c != ',' &&
         c != '"' && c != '?' && c != '#';
}

// Returns the rest of the text, after the user.
std::string_view takeUser(std::string_view text, ServerUrl& url) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return text;
  const std::string_view place = text.substr(at + 1);
  const std::string_view secret = text.substr(0, at);
  const std::size_t colon = secret.find(':');
  const auto first = percentDecoded(secret.substr(0, colon));
  if (!first || first->empty()) reject(place, "the user before the @ is not valid");
  if (colon == std::string_view::npos) {
    url.token = *first;
    return place;
  }
  const auto password = percentDecoded(secret.substr(colon + 1));
  if (!password) reject(place, "the password is not valid percent-encoding");
  url.user = *first;
  url.password = *password;
  return place;
}

}  // namespace

std::string ServerUrl::name() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

ServerUrl parseServerUrl(std::string_view text) {
  ServerUrl url;
  // The part before the host may be a password: it is not in any message.
  const std::string_view shown = text.substr(text.rfind('@') + 1);
  if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    const std::string_view name = text.substr(0, scheme);
    url.isTls = name == "tls";
    if (name != "nats" && name != "tls") {
      reject(shown, "the scheme must be nats or tls");
    }
    text.remove_prefix(scheme + 3);
  }
  text = takeUser(text, url);
  if (text.ends_with('/')) text.remove_suffix(1);

  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) reject(shown, "the ] of the address is missing");
    url.host = text.substr(1, end - 1);
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && rest[0] != ':') reject(shown, "after ] only a port may follow");
    port = rest;
  } else {
    const std::size_t colon = text.find(':');
    url.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon);
  }
  if (url.host.empty()) reject(shown, "there is no host");
  if (!std::ranges::all_of(url.host, isHostCharacter)) reject(shown, "the host is not valid");
  if (!port.empty()) {
    const char* const end = port.data() + port.size();
    const auto [parsed, error] = std::from_chars(port.data() + 1, end, url.port);
    if (error != std::errc() || parsed != end || url.port == 0) {
      reject(shown, "the port must be a number from 1 to 65535");
    }
  }
  return url;
}

std::vector<ServerUrl> parseServerUrls(const std::vector<std::string>& texts) {
  if (texts.empty()) throw std::invalid_argument(fmt::format("no server given; {}", kForm));
  std::vector<ServerUrl> urls;
  urls.reserve(texts.size());
  for (const std::string& text : texts) urls.push_back(parseServerUrl(text));
  return urls;
}

}  // namespace stormo::channel
