#include "protocol/proxy/forwarded.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "protocol/text/ascii.h"

namespace stormo::proxy {
namespace {

/// The client, as far as the nodes that were read from the right show it.
class Search {
 public:
  explicit Search(const TrustedProxies& trusted) : trusted_(trusted) {}

  /// False if the search has ended.
  bool take(const std::optional<IpEndpoint>& node) {
    if (!node) return false;
    client_ = node;
    return trusted_.trusts(node->address);
  }
  [[nodiscard]] const std::optional<IpEndpoint>& client() const { return client_; }

 private:
  const TrustedProxies& trusted_;
  std::optional<IpEndpoint> client_;
};

std::optional<IpEndpoint> clientInXForwardedFor(const HttpRequest& request,
                                                const TrustedProxies& trusted) {
  Search search(trusted);
  for (auto field = request.headers.rbegin(); field != request.headers.rend(); ++field) {
    if (!equalsIgnoringCase(field->name, "X-Forwarded-For")) continue;
    for (std::string_view rest = field->value; !rest.empty();) {
      const std::size_t comma = rest.rfind(',');
      const std::string_view node = trimmed(comma == rest.npos ? rest : rest.substr(comma + 1));
      rest = rest.substr(0, comma == rest.npos ? 0 : comma);
      if (!node.empty() && !search.take(parseNode(node))) return search.client();
    }
  }
  return search.client();
}

std::optional<IpEndpoint> clientInXRealIp(const HttpRequest& request) {
  for (auto field = request.headers.rbegin(); field != request.headers.rend(); ++field) {
    if (equalsIgnoringCase(field->name, "X-Real-IP")) return parseNode(field->value);
  }
  return std::nullopt;
}

/// Reads the elements of one `Forwarded` field (RFC 7239 4).
class ForwardedReader {
 public:
  explicit ForwardedReader(std::string_view field) : rest_(field) {}

  /// Appends the node of each element, empty if it has none. False if the field is malformed.
  bool read(std::vector<std::optional<IpEndpoint>>& nodes) {
    while (!rest_.empty()) {
      bool isEmpty = true;
      std::optional<std::string> node;
      do {
        skipSpace();
        if (rest_.empty() || rest_.front() == ';' || rest_.front() == ',') continue;
        isEmpty = false;
        if (!readPair(node)) return false;
        skipSpace();
      } while (takeIf(';'));
      if (!isEmpty) nodes.push_back(node ? parseNode(*node) : std::nullopt);
      if (!rest_.empty() && !takeIf(',')) return false;
    }
    return true;
  }

 private:
  void skipSpace() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }
  bool takeIf(char wanted) {
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool readPair(std::optional<std::string>& node) {
    const std::size_t equals = rest_.find_first_of("=;,\" \t");
    if (equals == rest_.npos || equals == 0 || rest_[equals] != '=') return false;
    const std::string_view name = rest_.substr(0, equals);
    rest_.remove_prefix(equals + 1);
    std::string value;
    if (!(takeIf('"') ? readQuoted(value) : readPlain(value))) return false;
    if (!equalsIgnoringCase(name, "for")) return true;
    if (node) return false;  // a parameter must not occur twice in an element
    node = std::move(value);
    return true;
  }

  /// After the opening quote (RFC 9110 5.6.4).
  bool readQuoted(std::string& value) {
    while (!rest_.empty()) {
      char next = rest_.front();
      rest_.remove_prefix(1);
      if (next == '"') return true;
      if (next == '\\') {
        if (rest_.empty()) return false;
        next = rest_.front();
        rest_.remove_prefix(1);
      }
      value.push_back(next);
    }
    return false;
  }

  /// A token. Addresses with brackets and ports without quotes are accepted: proxies send them.
  bool readPlain(std::string& value) {
    const std::size_t end = std::min(rest_.find_first_of(";, \t"), rest_.size());
    value = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return !value.empty() && value.find_first_of("\"\\=") == value.npos;
  }

  std::string_view rest_;
};

ForwardedClient clientInForwarded(const HttpRequest& request, const TrustedProxies& trusted) {
  std::vector<std::optional<IpEndpoint>> nodes;
  for (const HttpHeader& field : request.headers) {
    if (!equalsIgnoringCase(field.name, "Forwarded")) continue;
    if (!ForwardedReader(field.value).read(nodes)) return {.isMalformed = true};
  }
  Search search(trusted);
  for (auto node = nodes.rbegin(); node != nodes.rend() && search.take(*node); ++node) {
  }
  return {.client = search.client()};
}

/// 0 for an obfuscated port (RFC 7239 6.3).
std::optional<std::uint16_t> nodePort(std::string_view text) {
  if (text.size() > 1 && text.starts_with('_')) return std::uint16_t{0};
  std::uint16_t port = 0;
  const auto [end, errc] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (errc != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

std::optional<ForwardedHeader> forwardedHeaderNamed(std::string_view name) {
  if (equalsIgnoringCase(name, "x-forwarded-for")) return ForwardedHeader::XForwardedFor;
  if (equalsIgnoringCase(name, "x-real-ip")) return ForwardedHeader::XRealIp;
  if (equalsIgnoringCase(name, "forwarded")) return ForwardedHeader::Forwarded;
  return std::nullopt;
}

std::optional<IpEndpoint> parseNode(std::string_view node) {
  std::string_view host = node;
  std::optional<std::string_view> port;
  if (node.starts_with('[')) {
    const std::size_t bracket = node.find(']');
    if (bracket == node.npos) return std::nullopt;
    host = node.substr(1, bracket - 1);
    if (host.find(':') == host.npos) return std::nullopt;
    const std::string_view after = node.substr(bracket + 1);
    if (!after.empty() && after.front() != ':') return std::nullopt;
    if (!after.empty()) port = after.substr(1);
  } else if (const std::size_t colon = node.find(':');
             colon != node.npos && colon == node.rfind(':')) {
    host = node.substr(0, colon);
    port = node.substr(colon + 1);
  }
  const auto address = IpAddress::parse(host);
  if (!address) return std::nullopt;
  const auto number = port ? nodePort(*port) : std::uint16_t{0};
  if (!number) return std::nullopt;
  return IpEndpoint{.address = *address, .port = *number};
}

ForwardedClient forwardedClient(const HttpRequest& request, ForwardedHeader header,
                                const TrustedProxies& trusted) {
  switch (header) {
    case ForwardedHeader::XForwardedFor:
      return {.client = clientInXForwardedFor(request, trusted)};
    case ForwardedHeader::XRealIp:
      return {.client = clientInXRealIp(request)};
    case ForwardedHeader::Forwarded:
      return clientInForwarded(request, trusted);
  }
  return {};
}

}  // namespace stormo::proxy
