#include "protocol/proxy/trusted_proxies.h"

#include <algorithm>
#include <stdexcept>

namespace stormo::proxy {
namespace {

constexpr std::string_view kUnix = "unix";

}  // namespace

std::string complaintOfTrustedProxies(const std::vector<std::string>& entries) {
  for (const std::string& entry : entries) {
    if (entry == kUnix || IpNetwork::parse(entry)) continue;
    std::string complaint = "'" + entry + "' ";
    const bool isAddress = IpAddress::parse(entry.substr(0, entry.find('/'))).has_value();
    complaint += isAddress ? "has bits that are not of its network, or too long a prefix"
                           : "is not an address";
    return complaint + " (write 10.0.0.5, 10.0.0.0/8, fd00::5, fd00::/8, or unix)";
  }
  return {};
}

TrustedProxies::TrustedProxies(const std::vector<std::string>& entries) {
  if (const std::string wrong = complaintOfTrustedProxies(entries); !wrong.empty()) {
    throw std::invalid_argument(wrong);
  }
  for (const std::string& entry : entries) {
    if (entry == kUnix) {
      trustsUnix_ = true;
    } else {
      networks_.push_back(*IpNetwork::parse(entry));
    }
  }
}

bool TrustedProxies::trusts(const IpAddress& address) const {
  return std::ranges::any_of(networks_,
                             [&](const IpNetwork& each) { return each.contains(address); });
}

}  // namespace stormo::proxy
